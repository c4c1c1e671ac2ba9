//! What a disclosure shows, and that it gives nothing else away.

use receipts::hash::Purpose;
use receipts::{Disclosure, Field, field_commitment, field_salt, verify_disclosure};

use crate::sample::{ORDERS_COLUMNS, Sample};

#[test]
fn it_is_written_back_byte_for_byte() {
    let sample = Sample::new();
    let text = sample.disclosure(&[(2, 0, &[1]), (2, 3, &[]), (3, 2, &[]), (5, 299, &[0])], 12).to_text().unwrap();
    assert_eq!(Disclosure::parse(text.as_bytes()).unwrap().to_text().unwrap(), text);
}

#[test]
fn receipts_come_together_in_any_order_and_once() {
    let sample = Sample::new();
    let receipt = |seq, row| sample.receipt(seq, Some(row), 12);
    let one = Disclosure::of(vec![receipt(3, 1), receipt(2, 3), receipt(2, 0), receipt(2, 0)]).unwrap();
    let other = Disclosure::of(vec![receipt(2, 0), receipt(2, 3), receipt(3, 1)]).unwrap();
    assert_eq!(one, other);
    assert_eq!(verify_disclosure(one.to_text().unwrap().as_bytes(), &sample.policy()).exit_code(), 0);
    assert!(Disclosure::of(vec![]).is_err());
    assert!(Disclosure::of(vec![sample.receipt(2, None, 12)]).is_err());
    assert!(Disclosure::of(vec![receipt(2, 0), sample.receipt(2, Some(1), 11)]).is_err());
}

#[test]
fn columns_can_be_hidden_in_all_rows_at_once() {
    let sample = Sample::new();
    let all: &[usize] = &[0, 1, 2, 3];
    let mut disclosure = sample.disclosure(&[(2, 0, all), (2, 1, all), (2, 3, &[0]), (3, 2, &[])], 12);
    disclosure.hide(|table, column| table.name != "orders" || column.name == "customer").unwrap();
    let verdict = verify_disclosure(disclosure.to_text().unwrap().as_bytes(), &sample.policy());
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    let said = verdict.to_string();
    assert!(said.contains("customer = \"Ada\"") && said.contains("the values of 6 hidden fields"), "{said}");
    assert!(said.contains("day = 5") && !said.contains("id       = 7"), "{said}");
}

#[test]
fn one_of_more_than_16_mib_is_not_read() {
    let verdict = verify_disclosure(&vec![b'x'; (16 << 20) + 1], &Sample::new().policy());
    assert_eq!(verdict.to_string(), "MALFORMED: disclosure: is longer than 16 MiB\n");
}

#[test]
fn no_hidden_value_and_no_row_salt_is_in_it() {
    let sample = Sample::new();
    let row = &sample.commits[2].as_ref().unwrap().rows[2];
    let text = sample.disclosure(&[(2, 2, &[0])], 12).to_text().unwrap();
    let bytes: Vec<u8> = text
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(_, base64)| base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64).ok())
        .flatten()
        .collect();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(row.values[0].as_deref().unwrap()) && holds(&field_salt(&row.salt, 0)), "what is shown is there");
    assert!(!holds(&row.salt), "from the row's salt every hidden value could be guessed");
    for place in 1..4 {
        assert!(!holds(&field_salt(&row.salt, place)), "field {place}");
    }
    assert!(!holds("Émilie".as_bytes()) && !holds(b"a remark that"));
}

/// A boolean has three values. With everything that a disclosure of its neighbour gives, none of them can be confirmed.
#[test]
fn a_hidden_boolean_cannot_be_guessed() {
    let sample = Sample::new();
    let row = &sample.commits[2].as_ref().unwrap().rows[0];
    let disclosure = sample.disclosure(&[(2, 0, &[0, 1, 3])], 12);
    let fields = &disclosure.commits[0].tables[0].rows[0].fields;
    let Field::Hidden(commitment) = &fields[2] else { panic!("the boolean is hidden") };
    let (column, oid) = ORDERS_COLUMNS[2];
    let guesses: [Option<&[u8]>; 3] = [None, Some(&[0]), Some(&[1])];
    let shown = fields.iter().filter_map(|field| match field {
        Field::Shown { salt, .. } => Some(*salt),
        Field::Hidden(_) | Field::Erased(_) => None,
    });
    // Salts that an attacker can come by: none, those shown, what they give as a row's salt, pieces of their hashes.
    let mut salts = vec![[0; 16]];
    for salt in shown {
        salts.push(salt);
        salts.extend((0..4).map(|place| field_salt(&salt, place)));
        salts.extend(Purpose::ALL.map(|purpose| *purpose.hash(&salt).first_chunk().unwrap()));
    }
    for salt in salts {
        for guess in guesses {
            assert_ne!(field_commitment(&salt, column, oid, guess), *commitment);
        }
    }
    // And whoever has the salt can: it is the salt that hides it.
    let known = field_salt(&row.salt, 2);
    assert!(guesses.iter().any(|guess| field_commitment(&known, column, oid, *guess) == *commitment));
}
