"""DuckDB over the same files: reads a query's name a line, answers with its count and milliseconds of CPU time."""

import os
import sys
import time

import duckdb

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

QUERIES = {
    "q1": """SELECT count(*) FROM part_of JOIN located USING (city) JOIN member USING (person) JOIN container USING (forum)
        JOIN reply ON parent = post JOIN has_tag ON has_tag.message = reply.comment JOIN has_type USING (tag)""",
    "q2": """SELECT count(*) FROM knows JOIN creator c ON c.person = knows.a JOIN reply_post ON reply_post.comment = c.message
        JOIN creator p ON p.message = reply_post.post AND p.person = knows.b""",
    "q3": """SELECT count(*) FROM part_of c1 JOIN part_of c2 USING (country) JOIN part_of c3 USING (country)
        JOIN located p1 ON p1.city = c1.city JOIN located p2 ON p2.city = c2.city JOIN located p3 ON p3.city = c3.city
        JOIN knows k1 ON k1.a = p1.person AND k1.b = p2.person JOIN knows k2 ON k2.a = p2.person AND k2.b = p3.person
        JOIN knows k3 ON k3.a = p3.person AND k3.b = p1.person""",
    "q4": """SELECT count(*) FROM has_tag JOIN creator USING (message) JOIN likes USING (message)
        JOIN reply ON reply.parent = has_tag.message""",
    "q5": """SELECT count(*) FROM has_tag t1 JOIN reply ON reply.parent = t1.message JOIN has_tag t2 ON t2.message = reply.comment
        WHERE t1.tag <> t2.tag""",
    "q6": """SELECT count(*) FROM knows k1 JOIN knows k2 ON k1.b = k2.a JOIN interest ON interest.person = k2.b WHERE k1.a <> k2.b""",
    "q7": """SELECT count(*) FROM has_tag JOIN creator USING (message) LEFT JOIN likes USING (message)
        LEFT JOIN reply ON reply.parent = has_tag.message""",
    "q8": """SELECT count(*) FROM has_tag t1 JOIN reply ON reply.parent = t1.message JOIN has_tag t2 ON t2.message = reply.comment
        LEFT JOIN has_tag t3 ON t3.message = reply.comment AND t3.tag = t1.tag WHERE t1.tag <> t2.tag AND t3.tag IS NULL""",
    "q9": """SELECT count(*) FROM knows k1 JOIN knows k2 ON k1.b = k2.a JOIN interest ON interest.person = k2.b
        LEFT JOIN knows k3 ON k3.a = k1.a AND k3.b = k2.b WHERE k1.a <> k2.b AND k3.a IS NULL""",
}
db.execute("PREPARE two_hops AS SELECT count(DISTINCT k2.b) FROM knows k1 JOIN knows k2 ON k1.b = k2.a WHERE k1.a = $1")
print("ready", duckdb.__version__, flush=True)
for line in sys.stdin:
    name, _, key = line.strip().partition(" ")
    sql = f"EXECUTE two_hops({int(key)})" if name == "two_hops" else QUERIES[name]
    start = time.process_time()
    (count,) = db.execute(sql).fetchone()
    print(count, (time.process_time() - start) * 1000, flush=True)
