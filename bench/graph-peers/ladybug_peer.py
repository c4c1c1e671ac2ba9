"""Ladybug over the same files: reads a query's name a line, answers with its count and milliseconds of CPU time."""

import os
import shutil
import sys
import tempfile
import time

import ladybug

folder = sys.argv[1]
scratch = tempfile.mkdtemp(prefix="ladybug-")
db = ladybug.Database(os.path.join(scratch, "db"))
connection = ladybug.Connection(db, num_threads=1)

VERTICES = ["Country", "City", "Person", "Forum", "Post", "Comment", "Tag", "TagClass"]
# What an edge is called, and the files that hold it.
EDGES = {
    "isPartOf": ["City_isPartOf_Country"],
    "isLocatedIn": ["Person_isLocatedIn_City"],
    "hasInterest": ["Person_hasInterest_Tag"],
    "hasMember": ["Forum_hasMember_Person"],
    "containerOf": ["Forum_containerOf_Post"],
    "hasType": ["Tag_hasType_TagClass"],
    "knows": ["Person_knows_Person"],
    "hasCreator": ["Comment_hasCreator_Person", "Post_hasCreator_Person"],
    "hasTag": ["Comment_hasTag_Tag", "Post_hasTag_Tag"],
    "likes": ["Person_likes_Comment", "Person_likes_Post"],
    "replyOf": ["Comment_replyOf_Comment", "Comment_replyOf_Post"],
}


def path(name):
    return os.path.join(folder, f"{name}.csv")


def run(query, parameters=None):
    return connection.execute(query, parameters) if parameters else connection.execute(query)


def edge_file(name, is_reversed):
    """The edges under a header of two columns; friends stand in their file once, and both directions are edges."""
    copied = os.path.join(scratch, f"{name}.csv")
    with open(path(name)) as source, open(copied, "w") as target:
        next(source)
        target.write("a|b\n")
        for line in source:
            a, b = line.strip().split("|")
            target.write(f"{b}|{a}\n" if is_reversed else f"{a}|{b}\n")
    return copied


for vertex in VERTICES:
    run(f"CREATE NODE TABLE {vertex} (id INT64, PRIMARY KEY (id))")
    if os.path.exists(path(vertex)):
        run(f"COPY {vertex} FROM '{path(vertex)}' (header=true, delim='|')")
for edge, names in EDGES.items():
    pairs = ", ".join("FROM {} TO {}".format(*name.split("_")[::2]) for name in names)
    run(f"CREATE REL TABLE {edge} ({pairs})")
    for name in filter(lambda name: os.path.exists(path(name)), names):
        source, _, target = name.split("_")
        ends = f", from='{source}', to='{target}'" if len(names) > 1 else ""
        for is_reversed in [False, True] if edge == "knows" else [False]:
            run(f"COPY {edge} FROM '{edge_file(name, is_reversed)}' (header=true, delim='|'{ends})")

MESSAGE = "m:Post:Comment"
QUERIES = {
    "q1": "MATCH (:Country)<-[:isPartOf]-(:City)<-[:isLocatedIn]-(:Person)<-[:hasMember]-(:Forum)-[:containerOf]->(:Post)<-[:replyOf]-"
    "(:Comment)-[:hasTag]->(:Tag)-[:hasType]->(:TagClass) RETURN count(*)",
    "q2": "MATCH (p:Person)-[:knows]->(q:Person)<-[:hasCreator]-(:Post)<-[:replyOf]-(c:Comment)-[:hasCreator]->(p) RETURN count(*)",
    "q3": "MATCH (co:Country)<-[:isPartOf]-(:City)<-[:isLocatedIn]-(p:Person), (co)<-[:isPartOf]-(:City)<-[:isLocatedIn]-(q:Person), "
    "(co)<-[:isPartOf]-(:City)<-[:isLocatedIn]-(r:Person), (p)-[:knows]->(q)-[:knows]->(r)-[:knows]->(p) RETURN count(*)",
    "q4": f"MATCH (:Tag)<-[:hasTag]-({MESSAGE})-[:hasCreator]->(:Person), (m)<-[:likes]-(:Person), (m)<-[:replyOf]-(:Comment) RETURN count(*)",
    "q5": f"MATCH (t:Tag)<-[:hasTag]-({MESSAGE})<-[:replyOf]-(c:Comment)-[:hasTag]->(u:Tag) WHERE t.id <> u.id RETURN count(*)",
    "q6": "MATCH (p:Person)-[:knows]->(:Person)-[:knows]->(r:Person)-[:hasInterest]->(:Tag) WHERE p.id <> r.id RETURN count(*)",
    "q7": f"MATCH (:Tag)<-[:hasTag]-({MESSAGE})-[:hasCreator]->(:Person) OPTIONAL MATCH (m)<-[:likes]-(:Person) "
    "OPTIONAL MATCH (m)<-[:replyOf]-(:Comment) RETURN count(*)",
    "q8": f"MATCH (t:Tag)<-[:hasTag]-({MESSAGE})<-[:replyOf]-(c:Comment)-[:hasTag]->(u:Tag) WHERE t.id <> u.id "
    "AND NOT EXISTS { MATCH (c)-[:hasTag]->(t) } RETURN count(*)",
    "q9": "MATCH (p:Person)-[:knows]->(:Person)-[:knows]->(r:Person)-[:hasInterest]->(:Tag) WHERE p.id <> r.id "
    "AND NOT EXISTS { MATCH (p)-[:knows]->(r) } RETURN count(*)",
}
PREPARED = {
    "two_hops": connection.prepare(
        "MATCH (p:Person {id: $one})-[:knows]->(:Person)-[:knows]->(r:Person) RETURN count(DISTINCT r.id)"
    ),
    # Those without a path have no row.
    "path": connection.prepare(
        "MATCH p = (a:Person {id: $one})-[:knows* SHORTEST 1..30]->(b:Person {id: $other}) RETURN length(p)"
    ),
}


def answer(name, keys):
    if name in PREPARED:
        values = dict(zip(("one", "other"), map(int, keys)))
        result = connection.execute(PREPARED[name], values)
    else:
        result = connection.execute(QUERIES[name])
    return result.get_next()[0] if result.has_next() else 0


print("ready", ladybug.__version__, flush=True)
try:
    for line in sys.stdin:
        name, *keys = line.split()
        start, began = time.process_time(), time.perf_counter()
        count = answer(name, keys)
        print(count, (time.process_time() - start) * 1000, (time.perf_counter() - began) * 1000, flush=True)
finally:
    shutil.rmtree(scratch, ignore_errors=True)
