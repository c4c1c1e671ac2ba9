//! Policy files of C2SP tlog-policy.

use receipts::Policy;
use receipts::policy::Quorum;

use crate::sample::Sample;

fn vkey(n: u8) -> String {
    let sample = Sample::empty("shop", [n; 16], n);
    sample.keys.verifiers()[0].to_string()
}

/// The example of the specification with keys filled in; witnesses have a type we do not verify (0x04).
fn example() -> String {
    let witness = |n: u8| format!("w{n}+0000000{n}+{}", base64(&[&[4], &[n; 32][..]].concat()));
    let mut text = format!("log {}\n\n", vkey(0x50));
    for (group, members) in [("X", 1..=3u8), ("Y", 4..=6)] {
        members.for_each(|n| text.push_str(&format!("witness {group}{n} {}\n", witness(n))));
    }
    text + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y4 Y5 Y6\n\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
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
        (good.replace("w2+", "w2-"), "witness key"),
        (format!("{many}quorum none\n"), "one more than"),
        (format!("quorum none\n{}", "# x\n".repeat(70_000)), "256 KiB"),
    ];
    for (text, why) in bad {
        let error = Policy::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "«{error}» should say «{why}»");
    }
    assert!(Policy::parse(b"# \xff\nquorum none\n").is_err());
}
