//! A social network shaped like LSQB's, drawn from a seed: power-law degrees, friends of one country, replies that take up a tag of what they reply to.
//!
//! N1: the same scale gives the same files on every machine.

use std::path::Path;

/// Steele, Lea and Flood's SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.next() as u128 * end as u128) >> 64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Small numbers far more often than large ones.
    fn skewed(&mut self, end: usize, exponent: f64) -> usize {
        ((self.unit().powf(exponent) * end as f64) as usize).min(end - 1)
    }

    /// Of the given mean, with a long tail.
    fn degree(&mut self, mean: f64) -> usize {
        (mean * 0.5 * self.unit().max(1e-4).powf(-0.5)) as usize
    }
}

struct Files<'p>(&'p Path);

impl Files<'_> {
    fn vertices(&self, name: &str, count: usize) -> std::io::Result<()> {
        let mut text = format!("id:ID({name})\n");
        (0..count).for_each(|id| text += &format!("{id}\n"));
        std::fs::write(self.0.join(format!("{name}.csv")), text)
    }

    fn edges(&self, name: &str, edges: &mut Vec<(usize, usize)>) -> std::io::Result<()> {
        edges.sort_unstable();
        edges.dedup();
        let mut text = format!("{name}\n");
        edges.iter().for_each(|(a, b)| text += &format!("{a}|{b}\n"));
        std::fs::write(self.0.join(format!("{name}.csv")), text)
    }
}

const COUNTRIES: usize = 111;
const CITIES: usize = 1_343;
const TAGS: usize = 16_080;
const TAG_CLASSES: usize = 71;

/// Writes the network of a scale to a folder; scale 0.1 has about 1,600 persons and 280,000 messages.
pub fn write(folder: &Path, scale: f64) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let files = Files(folder);
    let mut dice = Dice(42);
    let persons = (11_000.0 * scale.powf(0.85)) as usize;
    let (posts, comments, forums) = (persons * 80, persons * 95, persons * 8);
    for (name, count) in [
        ("Country", COUNTRIES),
        ("City", CITIES),
        ("Tag", TAGS),
        ("TagClass", TAG_CLASSES),
        ("Person", persons),
        ("Forum", forums),
        ("Post", posts),
        ("Comment", comments),
    ] {
        files.vertices(name, count)?;
    }
    files.edges("City_isPartOf_Country", &mut (0..CITIES).map(|city| (city, city % COUNTRIES)).collect())?;
    files.edges("Tag_hasType_TagClass", &mut (0..TAGS).map(|tag| (tag, dice.skewed(TAG_CLASSES, 2.0))).collect())?;
    let cities: Vec<usize> = (0..persons).map(|_| dice.skewed(CITIES, 2.5)).collect();
    files.edges("Person_isLocatedIn_City", &mut cities.iter().copied().enumerate().collect())?;
    persons_edges(&files, &mut dice, persons, &cities, scale)?;
    messages(&files, &mut dice, persons, forums, posts, comments)
}

fn persons_edges(files: &Files<'_>, dice: &mut Dice, persons: usize, cities: &[usize], scale: f64) -> std::io::Result<()> {
    let mut by_country: Vec<Vec<usize>> = vec![Vec::new(); COUNTRIES];
    cities.iter().enumerate().for_each(|(person, city)| by_country[city % COUNTRIES].push(person));
    let mean = 11.0 * (scale / 0.1).powf(0.3);
    let mut knows = Vec::new();
    let mut interests = Vec::new();
    for person in 0..persons {
        for _ in 0..dice.degree(mean).min(persons / 4) {
            let near = &by_country[cities[person] % COUNTRIES];
            let other = if dice.below(10) < 5 { near[dice.below(near.len())] } else { dice.skewed(persons, 1.5) };
            if other != person {
                knows.push((person.min(other), person.max(other)));
            }
        }
        interests.extend((0..dice.degree(23.0).min(200)).map(|_| (person, dice.skewed(TAGS, 2.0))));
    }
    files.edges("Person_knows_Person", &mut knows)?;
    files.edges("Person_hasInterest_Tag", &mut interests)
}

fn messages(files: &Files<'_>, dice: &mut Dice, persons: usize, forums: usize, posts: usize, comments: usize) -> std::io::Result<()> {
    let mut members = Vec::new();
    for forum in 0..forums {
        members.extend((0..dice.degree(9.0).min(persons / 2)).map(|_| (forum, dice.skewed(persons, 1.5))));
    }
    files.edges("Forum_hasMember_Person", &mut members)?;
    files.edges("Forum_containerOf_Post", &mut (0..posts).map(|post| (dice.skewed(forums, 2.0), post)).collect())?;
    files.edges("Post_hasCreator_Person", &mut (0..posts).map(|post| (post, dice.skewed(persons, 1.7))).collect())?;
    files.edges("Comment_hasCreator_Person", &mut (0..comments).map(|comment| (comment, dice.skewed(persons, 1.7))).collect())?;
    let tags = |dice: &mut Dice| (0..[0, 0, 1, 1, 2, 3][dice.below(6)]).map(|_| dice.skewed(TAGS, 2.5)).collect::<Vec<_>>();
    let of_posts: Vec<Vec<usize>> = (0..posts).map(|_| tags(dice)).collect();
    let mut of_comments: Vec<Vec<usize>> = Vec::with_capacity(comments);
    let (mut to_posts, mut to_comments) = (Vec::new(), Vec::new());
    for comment in 0..comments {
        let parent = if comment == 0 || dice.below(100) < 50 {
            let post = dice.skewed(posts, 2.0);
            to_posts.push((comment, post));
            &of_posts[post]
        } else {
            let other = dice.skewed(comment, 1.5);
            to_comments.push((comment, other));
            &of_comments[other]
        };
        let mut own = tags(dice);
        if !parent.is_empty() && dice.below(3) == 0 {
            own.push(parent[dice.below(parent.len())]);
        }
        of_comments.push(own);
    }
    files.edges("Comment_replyOf_Post", &mut to_posts)?;
    files.edges("Comment_replyOf_Comment", &mut to_comments)?;
    let flat =
        |tags: &[Vec<usize>]| tags.iter().enumerate().flat_map(|(message, tags)| tags.iter().map(move |tag| (message, *tag))).collect();
    files.edges("Post_hasTag_Tag", &mut flat(&of_posts))?;
    files.edges("Comment_hasTag_Tag", &mut flat(&of_comments))?;
    let mut likes = |count: usize| {
        (0..count)
            .flat_map(|message| (0..dice.degree(0.9).min(50)).map(|_| (dice.skewed(persons, 1.5), message)).collect::<Vec<_>>())
            .collect()
    };
    files.edges("Person_likes_Post", &mut likes(posts))?;
    files.edges("Person_likes_Comment", &mut likes(comments))
}
