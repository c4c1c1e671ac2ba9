//! Rows whose values were erased: shown by their commitments, and lies about them.

use receipts::export::ExportRow;
use receipts::{Disclosure, Field, Receipt};

use super::{Attack, Kind, changed, receipt};
use crate::sample::{ORDERS_COLUMNS, Sample};

/// Customer, paid and remark of `orders`; its primary key is not sealed.
const SEALED: [usize; 3] = [1, 2, 3];

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [receipts(sample), disclosures(sample)].into_iter().flatten().collect()
}

fn erase(fields: &mut [Field]) {
    for at in SEALED {
        let (id, oid) = ORDERS_COLUMNS[at];
        fields[at] = Field::Erased(fields[at].commitment(id, oid));
    }
}

fn spoil(fields: &mut [Field]) {
    let Field::Erased(commitment) = &mut fields[2] else { unreachable!("it was erased") };
    commitment[31] ^= 1;
}

/// Of rows of an export: those of `orders` in commit 2 are rows 2 to 4.
pub(super) fn of_rows(rows: &mut [ExportRow]) {
    rows[2..5].iter_mut().for_each(|row| erase(&mut row.fields));
}

fn receipts(sample: &Sample) -> Vec<Attack> {
    let of = |receipt: &mut Receipt, change: fn(&mut [Field])| {
        let fields = &mut receipt.row.as_mut().unwrap().fields;
        erase(fields);
        change(fields);
    };
    let mut valid = sample.receipt(2, Some(0), 12);
    of(&mut valid, |_| ());
    let mut redacted = sample.receipt(2, Some(0), 12);
    SEALED.into_iter().for_each(|at| redacted.row.as_mut().unwrap().redact(at).unwrap());
    assert_eq!(redacted, valid, "whoever holds a receipt can redact it to what the server gives");
    vec![
        receipt(sample, "valid-row-erased", &valid, "valid", "the values of 3 redacted fields"),
        changed(sample, "erased-with-another-commitment", "tampered", "does not hash to row 0", |receipt| of(receipt, spoil)),
        changed(sample, "erased-with-the-commitment-of-another-field", "tampered", "does not hash to row 0", |receipt| {
            of(receipt, |fields| fields.swap(1, 3));
        }),
        changed(sample, "erased-boolean-guessed", "tampered", "does not hash to row 0", |receipt| {
            of(receipt, |fields| fields[2] = Field::Shown { salt: [0; 16], value: Some(vec![1]) });
        }),
        changed(sample, "erased-shown-as-null", "tampered", "does not hash to row 0", |receipt| {
            of(receipt, |fields| fields[2] = Field::Shown { salt: [0; 16], value: None });
        }),
    ]
}

fn disclosures(sample: &Sample) -> Vec<Attack> {
    let of = |name, change: fn(&mut [Field]), verdict, reason| {
        let mut disclosure: Disclosure = sample.disclosure(&[(2, 0, &[0, 1, 2, 3]), (2, 1, &[0])], 12);
        let fields = &mut disclosure.commits[0].tables[0].rows[0].fields;
        erase(fields);
        change(fields);
        let input = disclosure.to_text().unwrap();
        Attack { name, kind: Kind::Disclosure, policy: sample.policy_text(), pinned: None, input, verdict, reason }
    };
    vec![
        of("valid-disclosure-of-an-erased-row", |_| (), "valid", "the values of 3 redacted fields"),
        of("disclosure-erased-with-another-commitment", spoil, "tampered", "commit 2, row 0: row: as shown does not hash"),
    ]
}
