"""NetworKit over who knows whom: reads a function's name a line, answers with a number that tells whether it is right, and milliseconds."""

import sys
import time

import networkit

folder = sys.argv[1]
networkit.setNumberOfThreads(1)
with open(f"{folder}/Person.csv") as file:
    ids = [int(line) for line in list(file)[1:]]
places = {id: place for place, id in enumerate(ids)}
graph = networkit.Graph(len(ids))
with open(f"{folder}/Person_knows_Person.csv") as file:
    for line in list(file)[1:]:
        a, b = line.split("|")
        graph.addEdge(places[int(a)], places[int(b)])


def bfs():
    search = networkit.distance.BFS(graph, 0, storePaths=False)
    search.run()
    return sum(distance < len(ids) for distance in search.getDistances())


def wcc():
    components = networkit.components.ConnectedComponents(graph)
    components.run()
    return components.numberOfComponents()


def pagerank():
    """The id of the person with the highest rank, after as many steps as the LDBC's definition takes."""
    ranks = networkit.centrality.PageRank(graph, damp=0.85, tol=0.0)
    ranks.maxIterations = 20
    ranks.run()
    scores = ranks.scores()
    return min((-score, id) for score, id in zip(scores, ids))[1]


FUNCTIONS = {"bfs": bfs, "wcc": wcc, "pagerank": pagerank}

print("ready", networkit.__version__, flush=True)
for line in sys.stdin:
    name = line.strip()
    start, began = time.process_time(), time.perf_counter()
    found = FUNCTIONS[name]()
    print(found, (time.process_time() - start) * 1000, (time.perf_counter() - began) * 1000, flush=True)
