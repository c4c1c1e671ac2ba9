//! Receipts as text: what a valid one proves, and that no changed byte of one passes.

use receipts::{Field, Receipt, Verdict, verify_receipt};

use crate::sample::Sample;

fn report(receipt: &Receipt, sample: &Sample) -> Box<receipts::Report> {
    let text = receipt.to_text().unwrap();
    assert_eq!(Receipt::parse(text.as_bytes()).as_ref(), Ok(receipt), "a receipt reads back");
    match verify_receipt(text.as_bytes(), &sample.policy()) {
        Verdict::Valid(report) => report,
        other => panic!("{other}"),
    }
}

#[test]
fn every_row_of_every_commit_at_every_size() {
    let sample = Sample::new();
    for size in 1..=sample.seq() {
        for seq in 0..size {
            report(&sample.receipt(seq, None, size), &sample);
            if let Some(commit) = &sample.commits[seq as usize]
                && size == sample.seq()
            {
                (0..commit.leaf.n_rows).for_each(|row| drop(report(&sample.receipt(seq, Some(row), size), &sample)));
            }
        }
    }
}

#[test]
fn a_report_shows_the_row() {
    let sample = Sample::new();
    let fact =
        |report: &receipts::Report, name: &str| report.facts.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()).unwrap();
    let first = report(&sample.receipt(2, Some(0), 12), &sample);
    assert_eq!(first.subject, "row 0 of public.orders, commit 2 of shop/101112131415161718191a1b1c1d1e1f");
    let expected = [("id", "7"), ("customer", "\"Ada\""), ("paid", "true"), ("remark", "NULL")];
    assert_eq!(first.row, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(report(&sample.receipt(2, Some(1), 12), &sample).row[3].1, "\"\"", "empty is not NULL");
    let update = report(&sample.receipt(3, Some(1), 12), &sample);
    assert_eq!((fact(&update, "operation").as_str(), fact(&update, "row id").as_str()), ("update, supersedes row 3", "4"));
    let delete = report(&sample.receipt(3, Some(2), 12), &sample);
    assert_eq!((fact(&delete, "operation").as_str(), delete.row.len()), ("delete, supersedes row 0", 0));
    let visit = report(&sample.receipt(2, Some(4), 12), &sample);
    assert_eq!((visit.row[0].1.as_str(), fact(&visit, "row id").as_str()), ("NULL", "1"));
    let text = Verdict::Valid(first).to_string();
    assert!(text.contains("\n  customer = \"Ada\"\n"), "{text}");
    assert!(text.contains("not covered\n"), "{text}");
}

#[test]
fn fields_can_be_hidden_one_by_one() {
    let sample = Sample::new();
    let mut receipt = sample.receipt(2, Some(2), 12);
    for place in [1, 3, 0, 2] {
        receipt.row.as_mut().unwrap().hide(place).unwrap();
        let report = report(&receipt, &sample);
        assert_eq!(report.row[place].1, "(hidden)");
    }
    let text = receipt.to_text().unwrap();
    let row = Receipt::parse(text.as_bytes()).unwrap().row.unwrap();
    assert!(row.fields.iter().all(|field| matches!(field, Field::Hidden(_))), "no salt or value of a hidden field is left");
    assert!(receipt.row.unwrap().hide(4).is_err());
}

#[test]
fn every_flipped_byte_of_a_receipt_is_noticed() {
    let sample = Sample::new();
    let policy = sample.policy();
    for (seq, row) in [(2, Some(2)), (5, Some(299)), (3, Some(2)), (3, None), (0, None)] {
        let text = sample.receipt(seq, row, 12).to_text().unwrap().into_bytes();
        assert_eq!(verify_receipt(&text, &policy).exit_code(), 0);
        for i in 0..text.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = text.clone();
                changed[i] ^= flip;
                let verdict = verify_receipt(&changed, &policy);
                assert!(matches!(verdict.exit_code(), 1 | 2), "byte {i} ^ {flip:#x} of receipt {seq} {row:?}: {verdict}");
            }
        }
        for len in 0..text.len() {
            assert_ne!(verify_receipt(&text[..len], &policy).exit_code(), 0, "cut to {len}");
        }
        for (at, byte) in [(0, b' '), (text.len(), b'\n'), (text.len(), b' '), (22, b'\r')] {
            let mut longer = text.clone();
            longer.insert(at, byte);
            assert_ne!(verify_receipt(&longer, &policy).exit_code(), 0);
        }
    }
}

#[test]
fn a_row_too_long_for_a_receipt_says_so() {
    let sample = Sample::new();
    let mut receipt = sample.receipt(2, Some(0), 12);
    receipt.row.as_mut().unwrap().fields[1] = Field::Shown { salt: [0; 16], value: Some(vec![0; 13 << 20]) };
    assert!(receipt.to_text().unwrap_err().why.contains("16 MiB"));
    receipt.row.as_mut().unwrap().fields = vec![Field::Hidden([0; 32]); 1601];
    assert!(receipt.to_text().unwrap_err().why.contains("1600"));
}

#[test]
fn as_json_it_says_what_it_shows_and_holds_itself() {
    let sample = Sample::new();
    let mut receipt = sample.receipt(2, Some(1), 12);
    receipt.row.as_mut().unwrap().hide(1).unwrap();
    let json: serde_json::Value = serde_json::from_str(&receipt.to_json().unwrap()).unwrap();
    assert_eq!((json["kind"].as_str(), json["seq"].as_u64(), json["size"].as_u64()), (Some("commit"), Some(2), Some(12)));
    assert_eq!(json["actor"], "clerk");
    let row = &json["row"];
    assert_eq!((row["table"].as_str(), row["row_id"].as_u64(), row["operation"].as_str()), (Some("orders"), Some(1), Some("insert")));
    let fields = row["fields"].as_array().unwrap();
    assert_eq!((fields[0]["column"].as_str(), fields[0]["value"].as_str()), (Some("id"), Some("8")));
    assert!(fields[1]["hidden"].is_string() && fields[1].get("value").is_none());
    assert_eq!((fields[2]["value"].as_str(), fields[3]["value"].as_str()), (Some("false"), Some("")));
    assert_eq!(verify_receipt(json["receipt"].as_str().unwrap().as_bytes(), &sample.policy()).exit_code(), 0);
    let json: serde_json::Value = serde_json::from_str(&sample.receipt(2, Some(4), 12).to_json().unwrap()).unwrap();
    assert!(json["row"]["fields"][0]["value"].is_null());
    for seq in 0..12 {
        let json = sample.receipt(seq, None, 12).to_json().unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap().get("row").is_none());
    }
}
