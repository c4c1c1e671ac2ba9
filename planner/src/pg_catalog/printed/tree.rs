//! What a stored query says, with types: what is printed.
//!
//! Never: holds a name as it was written where it is called otherwise now.

use super::types::Typ;

/// An expression and its type.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) node: Node,
    pub(super) typ: Typ,
}

/// One expression, as Postgres's parser would have it.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A column, qualified as it is shown.
    Column(String),
    /// A constant by its text, without quotes; `None` for NULL.
    Constant(Option<String>),
    /// A call of a function, an aggregate or a window function.
    Call(Box<Call>),
    /// Words with expressions between them: `EXTRACT(year FROM x)`; what is in parentheses of its own.
    Words(Vec<Piece>),
    /// Likewise, with an operator's binding: `(x AT TIME ZONE y)`.
    Phrase(Vec<Piece>),
    Operator {
        op: String,
        left: Option<Box<Typed>>,
        right: Box<Typed>,
    },
    /// AND or OR.
    Joined {
        op: &'static str,
        terms: Vec<Typed>,
    },
    Not(Box<Typed>),
    /// `x IS NULL`, `x IS NOT TRUE`: the words behind, and whether it asks for NULL.
    Is(Box<Typed>, &'static str),
    Distinct(Box<Typed>, Box<Typed>),
    /// `x = ANY (array)`
    OfArray {
        left: Box<Typed>,
        op: String,
        all: bool,
        right: Box<Typed>,
    },
    Array(Vec<Typed>),
    Subscript(Box<Typed>, Box<Typed>),
    Case {
        operand: Option<Box<Typed>>,
        whens: Vec<(Typed, Typed)>,
        otherwise: Option<Box<Typed>>,
    },
    /// To the expression's own type.
    Cast(Box<Typed>),
    Subquery(Sub, Box<Query>),
    /// Sets of expressions that are grouped by: `ROLLUP`, `CUBE`, `GROUPING SETS`, or one set of several without a word.
    Grouping(&'static str, Vec<Vec<Typed>>),
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Word(&'static str),
    Text(String),
    Expr(Typed),
}

/// What a subquery is asked for.
#[derive(Clone, Debug)]
pub(super) enum Sub {
    Value,
    Exists,
    Array,
    /// `x op ANY (…)` or ALL.
    Compared {
        left: Box<Typed>,
        op: String,
        all: bool,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    /// As it is shown.
    pub(super) name: String,
    pub(super) args: Vec<Typed>,
    pub(super) star: bool,
    pub(super) distinct: bool,
    pub(super) order: Vec<Order>,
    pub(super) filter: Option<Typed>,
    pub(super) over: Option<Over>,
}

#[derive(Clone, Debug)]
pub(super) enum Over {
    Named(String),
    Window(Window),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    pub(super) base: Option<String>,
    pub(super) partition: Vec<Typed>,
    pub(super) order: Vec<Order>,
    /// Words and expressions of the frame.
    pub(super) frame: Vec<Piece>,
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) expr: Typed,
    pub(super) descending: bool,
    pub(super) nulls_first: Option<bool>,
}

/// A query.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) recursive: bool,
    pub(super) ctes: Vec<Cte>,
    pub(super) body: Body,
    pub(super) order: Vec<Order>,
    /// Places in the list of what it answers with, where the body is a set operation.
    pub(super) order_places: Vec<usize>,
    pub(super) limit: Option<Typed>,
    pub(super) offset: Option<Typed>,
    /// `FETCH FIRST … WITH TIES`
    pub(super) with_ties: bool,
    /// Names and types of what it answers with.
    pub(super) columns: Vec<(String, Typ)>,
}

impl Query {
    /// With nothing around its body.
    pub(super) fn of(body: Body, columns: Vec<(String, Typ)>) -> Self {
        let (ctes, order, order_places) = (Vec::new(), Vec::new(), Vec::new());
        Self { recursive: false, ctes, body, order, order_places, limit: None, offset: None, with_ties: false, columns }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) materialized: &'static str,
    pub(super) query: Query,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Select(Box<Select>),
    Values(Vec<Vec<Typed>>),
    Set { op: &'static str, all: bool, left: Box<Query>, right: Box<Query> },
}

#[derive(Clone, Debug)]
pub(super) struct Select {
    pub(super) distinct: Option<Vec<Typed>>,
    /// With the name that each has in the answer.
    pub(super) items: Vec<(Typed, String)>,
    pub(super) from: Vec<From>,
    pub(super) condition: Option<Typed>,
    pub(super) group: Vec<Typed>,
    pub(super) having: Option<Typed>,
    pub(super) windows: Vec<(String, Window)>,
}

/// A FROM item.
#[derive(Clone, Debug)]
pub(super) enum From {
    /// As it is shown, alias included.
    Relation(String),
    Subquery {
        lateral: bool,
        query: Box<Query>,
        alias: String,
    },
    Function {
        lateral: bool,
        call: Box<Typed>,
        ordinality: bool,
        alias: String,
    },
    Join {
        kind: &'static str,
        left: Box<From>,
        right: Box<From>,
        on: On,
    },
}

#[derive(Clone, Debug)]
pub(super) enum On {
    Condition(Typed),
    Using(Vec<String>),
    Nothing,
}
