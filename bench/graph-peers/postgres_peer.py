"""PostgreSQL over the same files, indexed both ways: reads a query's name a line, answers with its count and milliseconds of CPU time.

The cluster is of this run alone, in a folder of its own, on loopback. One thread: no parallel workers. `sys.argv[2]` has initdb and postgres.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg

from queries import QUERIES, TWO_HOPS

folder, bin_folder = sys.argv[1], sys.argv[2]
scratch = tempfile.mkdtemp(prefix="postgres-peer-")
data = os.path.join(scratch, "data")
account = {}
if os.geteuid() == 0:
    # PostgreSQL refuses to be root.
    user = pwd.getpwnam("postgres")
    os.chown(scratch, user.pw_uid, user.pw_gid)
    account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def program(name):
    return os.path.join(bin_folder, name)


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
log = open(os.path.join(scratch, "log"), "w")
subprocess.run(
    [program("initdb"), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-D", data],
    check=True, stdout=log, stderr=log, cwd="/", **account,
)
settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "shared_buffers=2GB", "work_mem=512MB",
            "max_parallel_workers_per_gather=0", "jit=off", "effective_cache_size=8GB"]
server = subprocess.Popen(
    [program("postgres"), "-D", data] + [part for setting in settings for part in ("-c", setting)], stdout=log, stderr=log, cwd="/", **account
)


def connect():
    for _ in range(600):
        try:
            return psycopg.connect(host="127.0.0.1", port=port, user="bench", dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise SystemExit("PostgreSQL did not come up")


def load(cursor):
    """Comments and posts share one space of numbers: those of comments are doubled, those of posts doubled and one more."""
    tables = {
        "part_of": ("city", "country", ["City_isPartOf_Country"]),
        "located": ("person", "city", ["Person_isLocatedIn_City"]),
        "interest": ("person", "tag", ["Person_hasInterest_Tag"]),
        "member": ("forum", "person", ["Forum_hasMember_Person"]),
        "has_type": ("tag", "class", ["Tag_hasType_TagClass"]),
        "knows": ("a", "b", ["Person_knows_Person"]),
        "container": ("forum", "post", ["Forum_containerOf_Post"]),
        "creator": ("message", "person", ["Comment_hasCreator_Person", "Post_hasCreator_Person"]),
        "has_tag": ("message", "tag", ["Comment_hasTag_Tag", "Post_hasTag_Tag"]),
        "likes": ("person", "message", ["Person_likes_Comment", "Person_likes_Post"]),
        "reply": ("comment", "parent", ["Comment_replyOf_Comment", "Comment_replyOf_Post"]),
        "reply_post": ("comment", "post", ["Comment_replyOf_Post"]),
    }
    messages = {"message", "parent", "post", "comment"}
    for table, (a, b, names) in tables.items():
        cursor.execute(f"CREATE TABLE {table} ({a} bigint NOT NULL, {b} bigint NOT NULL)")
        for name in names:
            path = os.path.join(folder, f"{name}.csv")
            if not os.path.exists(path):
                continue
            kinds = name.split("_")[::2]
            cursor.execute("CREATE TEMPORARY TABLE loaded (a bigint, b bigint)")
            with open(path) as file, cursor.copy("COPY loaded FROM STDIN WITH (FORMAT csv, DELIMITER '|', HEADER)") as copy:
                copy.write(file.read())
            one, other = (
                f"{side} * 2 + {int(kind == 'Post')}" if column in messages else side for side, column, kind in zip("ab", (a, b), kinds)
            )
            cursor.execute(f"INSERT INTO {table} SELECT {one}, {other} FROM loaded")
            if table == "knows":
                cursor.execute(f"INSERT INTO {table} SELECT b, a FROM loaded")
            cursor.execute("DROP TABLE loaded")
        cursor.execute(f"CREATE INDEX ON {table} ({a}, {b}); CREATE INDEX ON {table} ({b}, {a})")
    cursor.execute("VACUUM ANALYZE")


def cpu_ms(pid):
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e6


try:
    connection = connect()
    cursor = connection.cursor()
    load(cursor)
    cursor.execute(f"PREPARE two_hops (bigint) AS {TWO_HOPS}")
    cursor.execute("SELECT version(), pg_backend_pid()")
    version, pid = cursor.fetchone()
    print("ready", version.split()[1], flush=True)
    for line in sys.stdin:
        name, *keys = line.split()
        sql = f"EXECUTE two_hops({int(keys[0])})" if name == "two_hops" else QUERIES[name]
        start, began = cpu_ms(pid), time.perf_counter()
        cursor.execute(sql)
        (count,) = cursor.fetchone()
        print(count, cpu_ms(pid) - start, (time.perf_counter() - began) * 1000, flush=True)
finally:
    server.send_signal(signal.SIGINT)
    server.wait()
    shutil.rmtree(scratch, ignore_errors=True)
