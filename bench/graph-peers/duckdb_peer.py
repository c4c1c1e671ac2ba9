"""DuckDB over the same files: reads a query's name a line, answers with its count and milliseconds of CPU time."""

import os
import sys
import time

import duckdb

from queries import QUERIES, TWO_HOPS

folder = sys.argv[1]
db = duckdb.connect()
db.execute("SET threads = 1")


def present(name):
    return os.path.exists(f"{folder}/{name}.csv")


def edges(table, a, b, *names):
    parts = [
        f"SELECT column0 AS {a}, column1 AS {b}, '{n}' AS src FROM read_csv('{folder}/{n}.csv', delim='|', header=false, skip=1, "
        "columns={'column0': 'BIGINT', 'column1': 'BIGINT'})"
        for n in names
        if present(n)
    ]
    return parts


def table(table, a, b, *names):
    parts = edges(table, a, b, *names)
    if parts:
        db.execute(f"CREATE TABLE {table} AS SELECT {a}, {b} FROM (" + " UNION ALL ".join(parts) + ")")


# Comments and posts share one space of numbers here: those of comments are doubled, those of posts doubled and one more.
def message(table, a, b, which, *names):
    parts = []
    for n in names:
        if not present(n):
            continue
        (src,) = edges(table, a, b, n)
        for column in which:
            kind = n.split("_")[0 if column == a else 2]
            src = f"SELECT * REPLACE ({column} * 2 + {1 if kind == 'Post' else 0} AS {column}) FROM ({src})"
        parts.append(src)
    if parts:
        db.execute(f"CREATE TABLE {table} AS SELECT {a}, {b} FROM (" + " UNION ALL ".join(parts) + ")")


table("part_of", "city", "country", "City_isPartOf_Country")
table("located", "person", "city", "Person_isLocatedIn_City")
table("interest", "person", "tag", "Person_hasInterest_Tag")
table("member", "forum", "person", "Forum_hasMember_Person")
table("has_type", "tag", "class", "Tag_hasType_TagClass")
table("knows_once", "a", "b", "Person_knows_Person")
db.execute("CREATE TABLE knows AS SELECT a, b FROM knows_once UNION ALL SELECT b, a FROM knows_once")
message("container", "forum", "post", ["post"], "Forum_containerOf_Post")
message("creator", "message", "person", ["message"], "Comment_hasCreator_Person", "Post_hasCreator_Person")
message("has_tag", "message", "tag", ["message"], "Comment_hasTag_Tag", "Post_hasTag_Tag")
message("likes", "person", "message", ["message"], "Person_likes_Comment", "Person_likes_Post")
message("reply", "comment", "parent", ["comment", "parent"], "Comment_replyOf_Comment", "Comment_replyOf_Post")
message("reply_post", "comment", "post", ["comment", "post"], "Comment_replyOf_Post")

db.execute(f"PREPARE two_hops AS {TWO_HOPS}")
print("ready", duckdb.__version__, flush=True)
for line in sys.stdin:
    name, _, key = line.strip().partition(" ")
    sql = f"EXECUTE two_hops({int(key)})" if name == "two_hops" else QUERIES[name]
    start, began = time.process_time(), time.perf_counter()
    (count,) = db.execute(sql).fetchone()
    print(count, (time.process_time() - start) * 1000, (time.perf_counter() - began) * 1000, flush=True)
