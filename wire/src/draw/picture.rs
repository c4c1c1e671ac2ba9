//! A small graph as SVG: vertices in ranks from left to right, edges as arrows, each with its label.
//!
//! P1: the same graph gives the same picture.
//! Never: knows where the graph comes from.

use layout::backends::svg::SVGWriter;
use layout::core::base::Orientation;
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;

/// Characters of a label; longer ones are cut.
const LABEL_CHARS_MAX: usize = 40;
/// What a character takes, and what there is around a label.
const CHARACTER_PX: f64 = 9.0;
const AROUND_PX: f64 = 36.0;
const HEIGHT_PX: f64 = 40.0;

/// What is drawn.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Graph {
    /// Labels of vertices.
    pub vertices: Vec<String>,
    /// From which vertex to which, and the label.
    pub edges: Vec<(usize, usize, String)>,
}

impl Graph {
    /// The vertex of that label, made where there is none.
    pub fn vertex(&mut self, label: &str) -> usize {
        self.vertices.iter().position(|known| known == label).unwrap_or_else(|| {
            self.vertices.push(label.to_owned());
            self.vertices.len() - 1
        })
    }

    /// The picture.
    pub fn svg(&self) -> String {
        let orientation = Orientation::LeftToRight;
        let mut graph = VisualGraph::new(orientation);
        let handle = |label: &String| {
            let label = shown(label);
            let size = Point::new(label.chars().count() as f64 * CHARACTER_PX + AROUND_PX, HEIGHT_PX);
            graph.add_node(Element::create(ShapeKind::new_circle(&label), StyleAttr::simple(), orientation, size))
        };
        let handles: Vec<_> = self.vertices.iter().map(handle).collect();
        for (from, to, label) in &self.edges {
            graph.add_edge(Arrow::simple(&shown(label)), handles[*from], handles[*to]);
        }
        let mut writer = SVGWriter::new();
        graph.do_it(false, false, false, &mut writer);
        writer.finalize()
    }
}

/// A label without what no line of text has.
fn shown(label: &str) -> String {
    let mut shown: String = label.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LABEL_CHARS_MAX).collect();
    if label.chars().count() > LABEL_CHARS_MAX {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_in_the_picture_and_nothing_else_is_markup() {
        let mut graph = Graph::default();
        let (ada, bob) = (graph.vertex("Ada <script>"), graph.vertex("Bob & co"));
        assert_eq!(graph.vertex("Ada <script>"), ada);
        graph.edges = vec![(ada, bob, "since \"2010\"".to_owned()), (bob, bob, String::new()), (ada, bob, "x".repeat(50))];
        let svg = graph.svg();
        for part in ["<svg ", "Ada &lt;script&gt;", "Bob &amp; co", "2010", &"x".repeat(40), "</svg>"] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(!svg.contains("<script") && !svg.contains(&"x".repeat(41)));
        assert_eq!(svg, graph.svg());
    }
}
