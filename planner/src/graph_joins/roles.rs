//! What joined relations are in a property graph: which hold vertices, which hold edges, and which columns name the same vertex.
//!
//! R1: a vertex is an element table and, for each column of its key, a class of equal columns; two mentions of it are the same variable.
//! R2: every equality of the joins says that two columns are the same part of the same vertex's key; joins that say anything else follow no edges, and
//!     neither do those that say it of what a block within theirs, where it may be NULL, has bound.
//! R3: a vertex that no relation holds has a row all the same, since a reference of an edge that is joined to it says so.
//! R4: an edge's end that is joined to nothing is not NULL.
//! R5: EXISTS of one row by an element's key is a join: there is one such row at most, since a graph whose keys are not unique has no topology.
//! Never: reads a row.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::RelationId;
use engine::{Catalog, GraphDef, GraphEnd, TableDef};
use relational::links::{Joined, JoinedColumn, PartKind, Route};
use relational::{TABLE_COLUMN, Table};

/// Ways to see the relations that are tried.
const TRIES_MAX: usize = 256;

/// A vertex variable.
#[derive(Clone, Debug)]
pub(super) struct Vertex {
    /// Position among the graph's elements.
    pub(super) element: usize,
    /// The block that it is first mentioned in.
    pub(super) block: usize,
    /// R1
    term: Vec<JoinedColumn>,
    is_held: bool,
}

/// An edge variable.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) element: usize,
    pub(super) block: usize,
    /// Its ends among the vertices.
    pub(super) ends: (usize, usize),
    pub(super) relation: usize,
}

/// What a relation's rows are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holds {
    Vertex(usize),
    Edge(usize),
}

/// Joins as a pattern in a graph.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) graph: Arc<GraphDef>,
    pub(super) vertices: Vec<Vertex>,
    pub(super) edges: Vec<Edge>,
    /// By relation.
    pub(super) holds: Vec<Holds>,
    /// By relation, the block that it stands in.
    pub(super) blocks_of: Vec<usize>,
    /// By relation, whether it has no row where its vertex, which is bound around it, is there all the same.
    pub(super) is_shaded: Vec<bool>,
    /// By block, what it is within.
    pub(super) within: Vec<Option<(usize, PartKind)>>,
    /// By block, that which it is a part of: itself, or one around it (R5).
    pub(super) into: Vec<usize>,
    /// The vertex whose key is one column, which this is.
    keys: BTreeMap<JoinedColumn, usize>,
}

impl Route for Roles {}

impl Roles {
    /// The roles of joined relations in a graph, if they have any.
    pub(super) fn of(catalog: &Catalog, graph: &Arc<GraphDef>, joined: &Joined) -> Option<Self> {
        let elements = graph.elements.iter().map(|element| Element::of(catalog, graph, element)).collect::<Option<Vec<_>>>()?;
        let tables = joined.tables.iter().map(|table| oid(table.as_ref())).collect::<Option<Vec<_>>>()?;
        let (joined, into) = &flattened(joined, &elements, &tables);
        let classes = classes(joined)?;
        let mut choices = vec![Vec::new(); tables.len()];
        for (block, of_block) in joined.blocks.iter().enumerate() {
            for relation in &of_block.relations {
                choices[*relation] = Choice::all(&elements, tables[*relation], |column| {
                    classes[block].is_joined(JoinedColumn { relation: *relation, column })
                });
            }
        }
        let count = choices.iter().try_fold(1_usize, |count, choices| count.checked_mul(choices.len()))?;
        (0..count.min(TRIES_MAX)).find_map(|which| {
            let mut rest = which;
            let choose = |choices: &Vec<Choice>| {
                let at = rest % choices.len();
                rest /= choices.len();
                choices[at].clone()
            };
            let chosen: Vec<Choice> = choices.iter().map(choose).collect();
            Assignment { catalog, graph, elements: &elements, joined, into, classes: &classes, chosen: &chosen }.roles()
        })
    }

    /// Whether a block may speak of what another binds.
    pub(super) fn sees(&self, block: usize, other: usize) -> bool {
        let mut at = Some(block);
        while let Some(block) = at {
            if block == other {
                return true;
            }
            at = self.within[block].map(|(within, _)| within);
        }
        false
    }

    /// The vertices whose keys two columns are, if both are whole keys of one table.
    pub(super) fn vertices_of(&self, (one, other): (JoinedColumn, JoinedColumn)) -> Option<(usize, usize)> {
        let (one, other) = (*self.keys.get(&one)?, *self.keys.get(&other)?);
        (one != other && self.vertices[one].element == self.vertices[other].element).then_some((one, other))
    }
}

/// The id of the table that a relation reads.
fn oid(table: &dyn Table) -> Option<u32> {
    let schema = table.schema();
    let (oid, _) = schema.fields().first()?.metadata().get(TABLE_COLUMN)?.split_once(',')?;
    oid.parse().ok()
}

/// An element table by positions of columns.
struct Element {
    table: Arc<TableDef>,
    key: Vec<usize>,
    /// Of an edge: the vertices' elements, and its columns in the order of their keys.
    ends: Option<[(usize, Vec<usize>); 2]>,
}

impl Element {
    fn of(catalog: &Catalog, graph: &GraphDef, element: &engine::GraphElement) -> Option<Self> {
        let table = Arc::clone(catalog.table_by_id(RelationId(element.relation))?);
        let position = |table: &TableDef, name: &String| table.columns.iter().position(|column| column.name == *name);
        let key = element.key.iter().map(|name| position(&table, name)).collect::<Option<Vec<_>>>()?;
        let end = |end: &GraphEnd| {
            let at = graph.elements.iter().position(|vertex| !vertex.is_edge() && vertex.alias == end.vertex)?;
            let vertex = &graph.elements[at];
            let column = |name: &String| position(&table, &end.columns[end.references.iter().position(|reference| reference == name)?]);
            let columns = vertex.key.iter().map(column).collect::<Option<Vec<_>>>()?;
            (columns.len() == end.columns.len()).then_some((at, columns))
        };
        let ends = match &element.ends {
            Some(ends) => Some([end(&ends.source)?, end(&ends.destination)?]),
            None => None,
        };
        Some(Self { table, key, ends })
    }
}

/// The joins with blocks taken into those around them that are joins themselves (R5), and where each block went.
fn flattened(joined: &Joined, elements: &[Element], tables: &[u32]) -> (Joined, Vec<usize>) {
    let (mut joined, mut into) = (joined.clone(), (0..joined.blocks.len()).collect::<Vec<usize>>());
    // From the innermost out, so that what is within one that goes is known to go with it.
    for at in (1..joined.blocks.len()).rev() {
        let block = &joined.blocks[at];
        let (Some((around, PartKind::Exists)), [relation]) = (block.within, block.relations.as_slice()) else { continue };
        let relation = *relation;
        let is_told = |column: &usize| {
            let own = JoinedColumn { relation, column: *column };
            block
                .equal
                .iter()
                .any(|(one, other)| (*one == own && other.relation != relation) || (*other == own && one.relation != relation))
        };
        let is_key = |element: &Element| element.table.id.0 == tables[relation] && element.key.iter().all(is_told);
        if !elements.iter().any(is_key) {
            continue;
        }
        let gone = std::mem::take(&mut joined.blocks[at]);
        joined.blocks[around].relations.extend(gone.relations);
        joined.blocks[around].equal.extend(gone.equal);
        joined.blocks[at].within = gone.within;
        for other in &mut joined.blocks[at + 1..] {
            other.within = other.within.map(|(within, kind)| (if within == at { around } else { within }, kind));
        }
        into[at] = around;
    }
    for at in 0..into.len() {
        into[at] = into[into[at]];
    }
    (joined, into)
}

/// How a relation may be seen: as a vertex, as edges, or as a vertex with edges that its own row is.
#[derive(Clone, Default, Debug)]
struct Choice {
    vertex: Option<usize>,
    edges: Vec<usize>,
}

impl Choice {
    fn all(elements: &[Element], table: u32, is_joined: impl Fn(usize) -> bool) -> Vec<Self> {
        let of_table = |at: &usize| elements[*at].table.id.0 == table;
        let edges: Vec<usize> = (0..elements.len()).filter(|at| elements[*at].ends.is_some()).filter(of_table).collect();
        let mut all = Vec::new();
        for vertex in (0..elements.len()).filter(|at| elements[*at].ends.is_none()).filter(of_table) {
            let own = edges.iter().copied().filter(|edge| {
                let Some([source, target]) = &elements[*edge].ends else { return false };
                let is_own = |end: &(usize, Vec<usize>)| end.0 == vertex && end.1 == elements[vertex].key;
                let far = if is_own(source) { target } else { source };
                (is_own(source) || is_own(target)) && far.1.iter().all(|column| is_joined(*column))
            });
            let own: Vec<usize> = own.collect();
            if !own.is_empty() {
                all.push(Self { vertex: Some(vertex), edges: own });
            }
            all.push(Self { vertex: Some(vertex), edges: Vec::new() });
        }
        // What holds edges alone is seen as these first.
        let alone = edges.iter().map(|edge| Self { vertex: None, edges: vec![*edge] });
        all.extend(alone);
        all
    }
}

/// Equal columns, each class by one of its columns; of columns of blocks around by that which stands for them there.
#[derive(Clone, Default, Debug)]
struct Classes(BTreeMap<JoinedColumn, JoinedColumn>);

impl Classes {
    fn find(&self, column: JoinedColumn) -> JoinedColumn {
        self.0.get(&column).copied().unwrap_or(column)
    }

    fn is_joined(&self, column: JoinedColumn) -> bool {
        self.0.contains_key(&column)
    }

    /// Makes two columns equal; `None` where that would say something of the blocks around.
    fn join(&mut self, one: JoinedColumn, other: JoinedColumn, is_own: impl Fn(JoinedColumn) -> bool) -> Option<()> {
        let (first, second) = (self.find(one), self.find(other));
        self.0.insert(one, first);
        self.0.insert(other, second);
        if first == second {
            return Some(());
        }
        let (kept, gone) = match (is_own(first), is_own(second)) {
            (false, false) => return None,
            (false, true) => (first, second),
            (true, false) => (second, first),
            (true, true) => (first.min(second), first.max(second)),
        };
        self.0.insert(gone, gone);
        self.0.values_mut().filter(|class| **class == gone).for_each(|class| *class = kept);
        self.0.insert(kept, kept);
        Some(())
    }
}

fn classes(joined: &Joined) -> Option<Vec<Classes>> {
    let mut all: Vec<Classes> = Vec::with_capacity(joined.blocks.len());
    for block in &joined.blocks {
        let mut classes = match block.within {
            Some((within, _)) => all.get(within)?.clone(),
            None => Classes::default(),
        };
        for (one, other) in &block.equal {
            if ![one, other].iter().all(|column| is_around(joined, all.len(), column.relation)) {
                return None;
            }
            classes.join(*one, *other, |column| block.relations.contains(&column.relation))?;
        }
        all.push(classes);
    }
    Some(all)
}

/// Whether a relation stands in a block or in one around it.
fn is_around(joined: &Joined, block: usize, relation: usize) -> bool {
    let mut at = Some(block);
    while let Some(block) = at.and_then(|at| joined.blocks.get(at)) {
        if block.relations.contains(&relation) {
            return true;
        }
        at = block.within.map(|(within, _)| within);
    }
    false
}

/// One way to see all relations.
struct Assignment<'a> {
    catalog: &'a Catalog,
    graph: &'a Arc<GraphDef>,
    elements: &'a [Element],
    joined: &'a Joined,
    into: &'a [usize],
    classes: &'a [Classes],
    chosen: &'a [Choice],
}

impl Assignment<'_> {
    fn roles(&self) -> Option<Roles> {
        let count = self.joined.tables.len();
        let mut roles = Roles {
            graph: Arc::clone(self.graph),
            vertices: Vec::new(),
            edges: Vec::new(),
            holds: vec![Holds::Vertex(0); count],
            blocks_of: vec![0; count],
            is_shaded: vec![false; count],
            within: self.joined.blocks.iter().map(|block| block.within).collect(),
            into: self.into.to_vec(),
            keys: BTreeMap::new(),
        };
        // For each mention of a vertex, its columns and the places in its key.
        let mut parts: BTreeMap<JoinedColumn, Vec<(usize, usize)>> = BTreeMap::new();
        for (block, of_block) in self.joined.blocks.iter().enumerate() {
            for relation in of_block.relations.iter().copied() {
                roles.blocks_of[relation] = block;
                self.relation(&mut roles, &mut parts, block, relation)?;
            }
        }
        self.is_sound(&roles, &parts).then_some(())?;
        for (column, places) in &parts {
            let whole = places.iter().find(|(vertex, _)| roles.vertices[*vertex].term.len() == 1);
            roles.keys.extend(whole.map(|(vertex, _)| (*column, *vertex)));
        }
        Some(roles)
    }

    fn relation(
        &self,
        roles: &mut Roles,
        parts: &mut BTreeMap<JoinedColumn, Vec<(usize, usize)>>,
        block: usize,
        relation: usize,
    ) -> Option<()> {
        let mut vertex = |roles: &mut Roles, element: usize, columns: &[usize]| {
            let columns: Vec<JoinedColumn> = columns.iter().map(|column| JoinedColumn { relation, column: *column }).collect();
            let vertex = self.vertex(roles, block, element, &columns);
            for (place, column) in columns.into_iter().enumerate() {
                parts.entry(column).or_default().push((vertex, place));
            }
            vertex
        };
        let choice = &self.chosen[relation];
        if let Some(element) = choice.vertex {
            let held = vertex(roles, element, &self.elements[element].key);
            let is_new = roles.vertices[held].block == block;
            roles.is_shaded[relation] = !is_new && roles.within[block].is_some_and(|(_, kind)| kind == PartKind::Optional);
            roles.vertices[held].is_held |= is_new;
            roles.holds[relation] = Holds::Vertex(held);
        }
        for element in choice.edges.iter().copied() {
            let [source, target] = self.elements[element].ends.as_ref()?;
            let ends = (vertex(roles, source.0, &source.1), vertex(roles, target.0, &target.1));
            roles.edges.push(Edge { element, block, ends, relation });
            if choice.vertex.is_none() {
                roles.holds[relation] = Holds::Edge(roles.edges.len() - 1);
            }
        }
        Some(())
    }

    /// The variable of a vertex: a known one, or a new one.
    fn vertex(&self, roles: &mut Roles, block: usize, element: usize, columns: &[JoinedColumn]) -> usize {
        let term: Vec<JoinedColumn> = columns.iter().map(|column| self.classes[block].find(*column)).collect();
        let is_known = |vertex: &Vertex| vertex.element == element && vertex.term == term && roles.sees(block, vertex.block);
        if let Some(known) = roles.vertices.iter().position(is_known) {
            return known;
        }
        roles.vertices.push(Vertex { element, block, term, is_held: false });
        roles.vertices.len() - 1
    }

    /// R2 to R4.
    fn is_sound(&self, roles: &Roles, parts: &BTreeMap<JoinedColumn, Vec<(usize, usize)>>) -> bool {
        let none = Vec::new();
        let places = |column: &JoinedColumn| parts.get(column).unwrap_or(&none);
        let says_same = |(one, other): &(JoinedColumn, JoinedColumn)| places(one).iter().any(|place| places(other).contains(place));
        if !self.joined.blocks.iter().all(|block| block.equal.iter().all(says_same)) {
            return false;
        }
        roles.vertices.iter().enumerate().all(|(at, vertex)| vertex.is_held || self.has_row(roles, at, vertex))
            && roles.edges.iter().all(|edge| self.has_ends(edge))
    }

    /// R3
    fn has_row(&self, roles: &Roles, at: usize, vertex: &Vertex) -> bool {
        roles.edges.iter().filter(|edge| edge.block == vertex.block).any(|edge| {
            let Some([source, target]) = &self.elements[edge.element].ends else { return false };
            let refers = |end: &(usize, Vec<usize>)| self.refers(&self.elements[edge.element].table, &end.1, vertex.element);
            (edge.ends.0 == at && refers(source)) || (edge.ends.1 == at && refers(target))
        })
    }

    /// Whether a foreign key says that such columns are a vertex's key.
    fn refers(&self, table: &TableDef, columns: &[usize], vertex: usize) -> bool {
        let vertex = &self.elements[vertex];
        let id = |table: &TableDef, at: &usize| table.columns[*at].id;
        self.catalog.references_to(vertex.table.id).filter(|(from, reference)| from.id == table.id && !reference.not_valid).any(
            |(_, reference)| {
                let pairs = columns.iter().zip(&vertex.key);
                reference.columns.len() == columns.len()
                    && pairs.into_iter().all(|(own, key)| {
                        let place = reference.columns.iter().position(|column| *column == id(table, own));
                        place.is_some_and(|place| reference.referenced[place] == id(&vertex.table, key))
                    })
            },
        )
    }

    /// R4
    fn has_ends(&self, edge: &Edge) -> bool {
        let element = &self.elements[edge.element];
        let is_told = |column: &usize| {
            let joined = self.classes[edge.block].is_joined(JoinedColumn { relation: edge.relation, column: *column });
            let def = &element.table.columns[*column];
            joined || def.not_null || element.table.primary_key.contains(&def.id)
        };
        element.ends.iter().flatten().all(|(_, columns)| columns.iter().all(is_told))
    }
}
