//! Policy files of C2SP tlog-policy.

use std::collections::BTreeSet;

use receipts::Policy;
use receipts::policy::Quorum;

use crate::attacks::signer;
use crate::sample::{Random, Sample};

fn vkey(n: u8) -> String {
    let sample = Sample::empty("shop", [n; 16], n);
    sample.keys.verifiers()[0].to_string()
}

/// The example of the specification with keys filled in.
fn example() -> String {
    let mut text = format!("log {}\n\n", vkey(0x50));
    for (group, members) in [("X", 1..=3u8), ("Y", 4..=6)] {
        members.for_each(|n| text.push_str(&format!("witness {group}{n} {}\n", signer(n).verifier())));
    }
    text + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y4 Y5 Y6\n\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

#[test]
fn the_specifications_example() {
    let policy = Policy::parse(example().as_bytes()).unwrap();
    assert_eq!(policy.logs().len(), 1);
    assert_eq!(policy.witnesses().len(), 6);
    assert_eq!(policy.quorum(), &Quorum::Of("X-and-Y".to_owned()));
}

#[test]
fn space_comments_and_urls() {
    let text = format!("# é\n\t # indented\n\n  log\t{}  https://example.com/  \n\tquorum\tnone\t", vkey(1));
    let policy = Policy::parse(text.as_bytes()).unwrap();
    assert_eq!((policy.logs().len(), policy.quorum()), (1, &Quorum::None));
    assert!(Policy::parse(b"quorum none\n").unwrap().logs().is_empty());
}

#[test]
fn both_keys_of_a_ledger() {
    let sample = Sample::new();
    assert_eq!(Policy::of_logs(&sample.keys.verifiers()).unwrap(), sample.policy());
    let [sha, _] = sample.keys.verifiers();
    assert!(Policy::of_logs(&[sha, sha]).is_err());
}

#[test]
fn other_files_are_refused() {
    let good = example();
    let (one, many) = (vkey(1), (1..=65).map(|n| format!("log {}\n", vkey(n))).collect::<String>());
    let bad = [
        (String::new(), "quorum"),
        (good.replace("quorum X-and-Y\n", ""), "no quorum"),
        (format!("{good}quorum none\n"), "second quorum"),
        ("quorum X\n".to_owned(), "no line before"),
        (format!("log {one}\r\nquorum none\n"), "control"),
        (format!("log {one}\0\nquorum none\n"), "control"),
        (format!("log {one}\nlog {one}\nquorum none\n"), "line 2: lists a public key again"),
        (format!("log {} u v\nquorum none\n", vkey(1)), "no line of a policy"),
        ("log\nquorum none\n".to_owned(), "no line of a policy"),
        ("log x\nquorum none\n".to_owned(), "verifier key"),
        ("Log x\n".to_owned(), "no line of a policy"),
        (good.replace("witness X2", "witness X1"), "again"),
        (good.replace("witness X1", "witness none"), "again"),
        (good.replace("group X-and-Y all", "group X1 all"), "again"),
        (good.replace("2 X1 X2 X3", "0 X1 X2 X3"), "asks for"),
        (good.replace("2 X1 X2 X3", "4 X1 X2 X3"), "asks for"),
        (good.replace("2 X1 X2 X3", "+2 X1 X2 X3"), "asks for"),
        (good.replace("2 X1 X2 X3", "2"), "asks for"),
        (good.replace("any Y4 Y5 Y6", "any"), "asks for"),
        (good.replace("2 X1 X2 X3", "2 X1 X1 X3"), "twice"),
        (good.replace("any Y4 Y5", "any X1 Y5"), "twice"),
        (good.replace("2 X1 X2 X3", "2 X1 X2 X-and-Y"), "no line before"),
        (good.replace("all X-witnesses", "all none"), "no line before"),
        (good.replace("witness-2.example/w+", "witness-2.example/w-"), "witness key"),
        (format!("{many}quorum none\n"), "one more than"),
        (format!("quorum none\n{}", "# x\n".repeat(70_000)), "256 KiB"),
    ];
    for (text, why) in bad {
        let error = Policy::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "«{error}» should say «{why}»");
    }
    assert!(Policy::parse(b"# \xff\nquorum none\n").is_err());
}

#[test]
fn urls_of_witnesses_are_kept() {
    let text = example().replacen("\nwitness X2", " https://w1.example/in\nwitness X2", 1);
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let urls: Vec<_> = policy.witnesses().iter().map(|witness| witness.url.as_deref()).collect();
    assert_eq!(urls, [Some("https://w1.example/in"), None, None, None, None, None]);
}

/// A group as the oracle reads it: by asking each member, down to the witnesses.
struct Tree(Vec<(usize, Vec<Member>)>);

enum Member {
    Witness(usize),
    Group(usize),
}

impl Tree {
    fn stands(&self, group: usize, cosigned: &BTreeSet<usize>) -> bool {
        let (threshold, members) = &self.0[group];
        let standing = members.iter().filter(|member| match member {
            Member::Witness(n) => cosigned.contains(n),
            Member::Group(n) => self.stands(*n, cosigned),
        });
        standing.count() >= *threshold
    }
}

/// Every witness and group is a member of one later group at most; each has at least one member.
fn random_policy(random: &mut Random, witnesses: usize) -> (Tree, String) {
    let mut text: String = (0..witnesses).map(|n| format!("witness w{n} {}\n", signer(n as u8 + 1).verifier())).collect();
    let (mut free, mut tree) = ((0..witnesses).map(Member::Witness).collect::<Vec<_>>(), Tree(vec![]));
    for group in 0..1 + random.below(4) {
        let members: Vec<Member> = (0..1 + random.below(free.len())).map(|_| free.remove(random.below(free.len()))).collect();
        let threshold = 1 + random.below(members.len());
        let names = members.iter().map(|member| match member {
            Member::Witness(n) => format!(" w{n}"),
            Member::Group(n) => format!(" g{n}"),
        });
        text.push_str(&format!("group g{group} {threshold}{}\n", names.collect::<String>()));
        tree.0.push((threshold, members));
        free.push(Member::Group(group));
    }
    text.push_str(&format!("quorum g{}\n", tree.0.len() - 1));
    (tree, text)
}

#[test]
fn quorums_are_those_of_the_groups_read_downwards() {
    let mut random = Random(11);
    let (mut met, mut unmet) = (0, 0);
    for _ in 0..200 {
        let witnesses = 1 + random.below(6);
        let (tree, text) = random_policy(&mut random, witnesses);
        let policy = Policy::parse(text.as_bytes()).unwrap();
        for subset in 0..1usize << witnesses {
            let cosigned: BTreeSet<usize> = (0..witnesses).filter(|n| subset >> n & 1 == 1).collect();
            let expected = tree.stands(tree.0.len() - 1, &cosigned);
            let is_met = policy.is_met(|witness| cosigned.contains(&witness.name[1..].parse().unwrap()));
            assert_eq!(is_met, expected, "{cosigned:?} of\n{text}");
            if is_met { met += 1 } else { unmet += 1 }
        }
    }
    assert!(met > 500 && unmet > 500, "{met} {unmet}");
}
