//! A row's receipt: asked for in SQL, written to a file, verified without the server.
//!
//! Never: verifies with a key the server has just given; the policy was pinned before the data was loaded.

use std::fs;

use receipts::Policy;
use receipts::verdict::Verdict;
use receipts::verify::verify_receipt;
use tokio_postgres::Client;

use super::Failure;
use super::console::Console;
use super::folder::Workplace;
use super::questions::Change;

/// Takes the receipts of the row before and after the correction and verifies both.
pub async fn take_and_verify(
    console: &Console,
    client: &Client,
    place: &Workplace,
    policy: &Policy,
    change: &Change,
) -> Result<(), Failure> {
    let keys: Vec<_> = policy.logs().iter().collect();
    fs::write(place.kept("policy.txt"), Policy::text_of_logs(&keys))?;
    for (file, at) in [("receipt-before.txt", change.before), ("receipt-after.txt", change.after)] {
        let (seq, row) = (at.commit_seq, at.row);
        let text: String = client.query_one("SELECT ledger_receipt($1::bigint, $2::bigint)", &[&seq, &row]).await?.get(0);
        let path = place.kept(file);
        fs::write(&path, &text)?;
        // From here on only the file and the pinned policy are used.
        let verdict = verify_receipt(&fs::read(&path)?, policy);
        let Verdict::Valid(report) = &verdict else {
            return Err(Failure::new(format!("{file} did not verify\n{verdict}")));
        };
        if !report.row.iter().any(|(column, value)| column == "name" && value.contains(&change.name)) {
            return Err(Failure::new(format!("{file} is about another row than that of {}\n{verdict}", change.name)));
        }
        console.result(&format!("SELECT ledger_receipt({seq}, {row})  →  {file}, {} bytes", text.len()));
        if file == "receipt-after.txt" {
            console.block(&verdict.to_string());
        } else {
            let row: Vec<String> = report.row.iter().map(|(column, value)| format!("{column} = {value}")).collect();
            console.line(&format!("valid, as it was before the correction: {}", row.join(", ")));
        }
    }
    console.line("The same by hand:  shockwave verify receipt receipt-after.txt --policy policy.txt");
    Ok(())
}
