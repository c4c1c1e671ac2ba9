"""The nine shapes as joins of edge tables, with comments and posts in one table: what DuckDB and PostgreSQL are asked."""

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
TWO_HOPS = "SELECT count(DISTINCT k2.b) FROM knows k1 JOIN knows k2 ON k1.b = k2.a WHERE k1.a = $1"
