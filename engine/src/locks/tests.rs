//! The lock table alone: order, strengthening, circles, savepoints, waits given up; then many threads over few rows.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::task::{Context, Wake};

use super::*;

const ROW: Place = Place::Row(RelationId(20_000), 7);
const OTHER: Place = Place::Row(RelationId(20_000), 8);
const THIRD: Place = Place::Row(RelationId(20_000), 9);

/// Remembers that it was woken.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// One look at a wait: the grant, if it is there.
fn look(wait: &mut Wait) -> Option<Held> {
    let waker = Arc::new(Bell::default()).into();
    match std::pin::Pin::new(wait).poll(&mut Context::from_waker(&waker)) {
        std::task::Poll::Ready(held) => Some(held),
        std::task::Poll::Pending => None,
    }
}

fn take(table: &Arc<LockTable>, owner: u64, place: Place, strength: Strength) -> Held {
    assert_eq!(table.ask(owner, place, strength), Asked::Granted);
    let mut held = Held::default();
    held.add(table, owner, vec![(place, strength)]);
    held
}

#[test]
fn strengths_conflict_as_in_postgres() {
    use Strength::{KeyShare, NoKeyUpdate, Share, Update};
    let conflicting =
        [(KeyShare, Update), (Share, NoKeyUpdate), (Share, Update), (NoKeyUpdate, NoKeyUpdate), (NoKeyUpdate, Update), (Update, Update)];
    for one in [KeyShare, Share, NoKeyUpdate, Update] {
        for other in [KeyShare, Share, NoKeyUpdate, Update] {
            let expected = conflicting.contains(&(one, other)) || conflicting.contains(&(other, one));
            assert_eq!(one.conflicts(other), expected, "{one:?} {other:?}");
        }
    }
}

#[test]
fn waiters_are_served_in_order_and_nothing_is_left() {
    let table = Arc::new(LockTable::default());
    let first = take(&table, 1, ROW, Strength::Update);
    let mut second = table.wait_for(2, ROW, Strength::Update).unwrap();
    let mut third = table.wait_for(3, ROW, Strength::Update).unwrap();
    assert!(look(&mut second).is_none() && look(&mut third).is_none());
    drop(first);
    assert!(look(&mut third).is_none());
    let second = look(&mut second).unwrap();
    assert!(table.is_busy(4, ROW, Strength::KeyShare));
    drop(second);
    drop(look(&mut third).unwrap());
    assert!(table.is_idle() && table.shard(ROW).lock().is_empty() && table.waits.lock().is_empty());
}

#[test]
fn a_reader_does_not_pass_a_waiting_writer() {
    let table = Arc::new(LockTable::default());
    let _first = take(&table, 1, ROW, Strength::Share);
    let writer = table.wait_for(2, ROW, Strength::Update).unwrap();
    assert_eq!(table.ask(3, ROW, Strength::Share), Asked::Busy);
    drop(writer);
    assert_eq!(table.ask(3, ROW, Strength::Share), Asked::Granted);
}

#[test]
fn who_has_a_lock_strengthens_it_before_those_who_wait() {
    let table = Arc::new(LockTable::default());
    let mine = take(&table, 1, ROW, Strength::Share);
    let theirs = take(&table, 2, ROW, Strength::Share);
    let mut outsider = table.wait_for(3, ROW, Strength::Update).unwrap();
    let mut stronger = table.wait_for(1, ROW, Strength::Update).unwrap();
    drop(theirs);
    let stronger = look(&mut stronger).unwrap();
    assert!(look(&mut outsider).is_none());
    drop((mine, stronger));
    assert!(look(&mut outsider).is_some());
}

#[test]
fn who_would_close_a_circle_is_refused() {
    let table = Arc::new(LockTable::default());
    let locks = [(1, ROW), (2, OTHER), (3, THIRD)].map(|(owner, place)| take(&table, owner, place, Strength::Update));
    let _one = table.wait_for(1, OTHER, Strength::Update).unwrap();
    let _two = table.wait_for(2, THIRD, Strength::Update).unwrap();
    assert_eq!(table.wait_for(3, ROW, Strength::Update).unwrap_err().blocker, 2);
    drop(locks);
}

#[test]
fn two_who_strengthen_the_same_lock_are_a_circle() {
    let table = Arc::new(LockTable::default());
    let _mine = take(&table, 1, ROW, Strength::Share);
    let _theirs = take(&table, 2, ROW, Strength::Share);
    let _waiting = table.wait_for(1, ROW, Strength::Update).unwrap();
    assert!(table.wait_for(2, ROW, Strength::Update).is_err());
}

#[test]
fn a_circle_through_a_queue_is_seen() {
    // 1 has ROW. 2 waits for it and stands before 3, who only wants to share: 3 waits for 2. 2 has OTHER, so 1 may not wait for OTHER; and 3 has
    // THIRD, for which 2 may not have been waiting.
    let table = Arc::new(LockTable::default());
    let _row = take(&table, 1, ROW, Strength::KeyShare);
    let _third = take(&table, 3, THIRD, Strength::Update);
    let _two = table.wait_for(2, ROW, Strength::Update).unwrap();
    let _three = table.wait_for(3, ROW, Strength::KeyShare).unwrap();
    assert!(table.wait_for(1, THIRD, Strength::Update).is_err());
}

/// pgbench with several clients over foreign keys hung. A branch's row was locked by one, a second waited to change it, and a third, which only
/// wanted its key to stay, stood behind the second. When the first gave up what kept the third, the third stayed in the queue behind one that it does
/// not conflict with: it waited for nobody that a search could find, and the first began to wait for it.
#[test]
fn who_conflicts_with_nobody_any_more_is_granted_behind_one_who_waits_on() {
    let table = Arc::new(LockTable::default());
    let _change = take(&table, 1, ROW, Strength::NoKeyUpdate);
    let savepoint = take(&table, 1, ROW, Strength::Update);
    let mut second = table.wait_for(2, ROW, Strength::NoKeyUpdate).unwrap();
    let mut third = table.wait_for(3, ROW, Strength::KeyShare).unwrap();
    let _theirs = take(&table, 3, OTHER, Strength::Update);
    drop(savepoint);
    let third = look(&mut third);
    assert!(third.is_some() && look(&mut second).is_none());
    let first = table.wait_for(1, OTHER, Strength::Update);
    assert!(first.is_ok(), "the third waits for nobody");
}

/// One who strengthens its lock goes to the head of the queue, so that those who stand there wait for it from then on. A search that looked only at
/// whom it waits for did not see the circle: 1 waits for 3, 3 for 4, and 4, behind 1 now, for 1.
#[test]
fn who_strengthens_does_not_go_before_one_that_others_wait_for() {
    let table = Arc::new(LockTable::default());
    let _one = take(&table, 1, ROW, Strength::KeyShare);
    let two = take(&table, 2, ROW, Strength::NoKeyUpdate);
    let three = take(&table, 3, ROW, Strength::KeyShare);
    let four = take(&table, 4, OTHER, Strength::Update);
    let mut fourth = table.wait_for(4, ROW, Strength::NoKeyUpdate).unwrap();
    let mut third = table.wait_for(3, OTHER, Strength::Update).unwrap();
    let mut first = table.wait_for(1, ROW, Strength::Update).unwrap();
    drop(two);
    let fourth = look(&mut fourth).expect("4 waits for 2 alone");
    drop((four, fourth));
    let third = look(&mut third).expect("3 waits for 4 alone");
    assert!(look(&mut first).is_none());
    drop((three, third));
    assert!(look(&mut first).is_some());
}

#[test]
fn a_circle_that_no_turn_avoids_is_refused() {
    let table = Arc::new(LockTable::default());
    let _one = take(&table, 1, ROW, Strength::Share);
    let _three = take(&table, 3, ROW, Strength::KeyShare);
    let _four = take(&table, 4, OTHER, Strength::Update);
    let _fourth = table.wait_for(4, ROW, Strength::NoKeyUpdate).unwrap();
    let _third = table.wait_for(3, OTHER, Strength::Update).unwrap();
    // 4 waits for what 1 has already.
    assert!(table.wait_for(1, ROW, Strength::Update).is_err());
}

/// A wait that is dropped after its owner has begun another took the other one's entry along, and with it every circle through it.
#[test]
fn an_old_wait_does_not_take_a_new_one_along() {
    let table = Arc::new(LockTable::default());
    let _locks = [(1, ROW), (2, OTHER), (3, THIRD)].map(|(owner, place)| take(&table, owner, place, Strength::Update));
    let old = table.wait_for(1, THIRD, Strength::Update).unwrap();
    let _new = table.wait_for(1, OTHER, Strength::Update).unwrap();
    drop(old);
    assert!(table.wait_for(2, ROW, Strength::Update).is_err());
}

/// Seeded steps over few owners and places, each lock taken, strengthened, waited for, given up or given back; after every step whoever waits can
/// be reached from one who does not (W3), judged by the queues and grants alone.
#[test]
fn among_those_who_wait_somebody_waits_for_one_who_does_not() {
    const STRENGTHS: [Strength; 4] = [Strength::KeyShare, Strength::Share, Strength::NoKeyUpdate, Strength::Update];
    let places = [ROW, OTHER, THIRD];
    let (mut waited, mut refused) = (0, 0);
    for seed in 1..=300_u64 {
        let table = Arc::new(LockTable::default());
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut draw = |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as usize % n
        };
        let mut sides: Vec<(Vec<Held>, Option<Wait>)> = (0..6).map(|_| (Vec::new(), None)).collect();
        for _ in 0..120 {
            let at = draw(6);
            let (owner, (held, waiting)) = (at as u64 + 1, &mut sides[at]);
            if let Some(wait) = waiting {
                if let Some(granted) = look(wait) {
                    held.push(granted);
                    *waiting = None;
                } else if draw(20) == 0 {
                    *waiting = None;
                }
            } else if draw(5) == 0 {
                let left = draw(held.len() + 1);
                held.truncate(left);
            } else {
                let (place, strength) = (places[draw(3)], STRENGTHS[draw(4)]);
                match table.ask(owner, place, strength) {
                    Asked::Had => {}
                    Asked::Granted => {
                        let mut new = Held::default();
                        new.add(&table, owner, vec![(place, strength)]);
                        held.push(new);
                    }
                    Asked::Busy => match table.wait_for(owner, place, strength) {
                        Ok(wait) => (*waiting, waited) = (Some(wait), waited + 1),
                        Err(_) => {
                            refused += 1;
                            held.clear();
                        }
                    },
                }
            }
            check_that_waits_end(&table, &places, seed);
        }
    }
    assert!(waited > 1_000 && refused > 50, "{waited} waits, {refused} refused");
}

/// Takes those away who wait for nobody, until nobody is left who waits.
fn check_that_waits_end(table: &LockTable, places: &[Place], seed: u64) {
    let mut edges: Vec<(u64, Vec<u64>)> = Vec::new();
    for place in places {
        let shard = table.shard(*place).lock();
        let Some(entry) = shard.get(place) else { continue };
        for (at, waiter) in entry.queue.iter().enumerate() {
            let grants = entry.grants.iter().map(|grant| (grant.owner, grant.strength));
            let ahead = entry.queue.iter().take(at).map(|other| (other.owner, other.strength));
            let all = grants.chain(ahead).filter(|(other, strength)| *other != waiter.owner && strength.conflicts(waiter.strength));
            let blockers: Vec<u64> = all.map(|(other, _)| other).collect();
            assert!(!blockers.is_empty(), "seed {seed}: {} waits for nobody", waiter.owner);
            edges.push((waiter.owner, blockers));
        }
    }
    while !edges.is_empty() {
        let waiting: Vec<u64> = edges.iter().map(|(owner, _)| *owner).collect();
        let before = edges.len();
        edges.retain(|(_, blockers)| blockers.iter().any(|blocker| waiting.contains(blocker)));
        assert!(edges.len() < before, "W3: seed {seed}: a circle of {waiting:?}");
    }
}

#[test]
fn what_a_savepoint_has_stays_when_the_rest_is_dropped() {
    let table = Arc::new(LockTable::default());
    let mut held = take(&table, 1, ROW, Strength::KeyShare);
    let savepoint = held.clone();
    assert_eq!(table.ask(1, ROW, Strength::Update), Asked::Granted);
    assert_eq!(table.ask(1, OTHER, Strength::Update), Asked::Granted);
    held.add(&table, 1, vec![(ROW, Strength::Update), (OTHER, Strength::Update)]);
    assert_eq!(held.len(), 3);
    drop(held);
    assert!(!table.is_busy(2, OTHER, Strength::Update));
    assert!(table.is_busy(2, ROW, Strength::Update) && !table.is_busy(2, ROW, Strength::NoKeyUpdate));
    drop(savepoint);
    assert!(table.is_idle());
}

#[test]
fn a_long_list_is_dropped_without_recursion() {
    let table = Arc::new(LockTable::default());
    let mut held = Held::default();
    for row in 0..200_000 {
        let place = Place::Row(RelationId(20_000), row);
        assert_eq!(table.ask(1, place, Strength::Update), Asked::Granted);
        held.add(&table, 1, vec![(place, Strength::Update)]);
    }
    drop(held);
    assert!(table.is_idle());
}

#[test]
fn many_threads_over_few_rows_end_and_leave_nothing() {
    let table = Arc::new(LockTable::default());
    let inside: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
    let refused = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (table, inside, refused) = (&table, &inside, &refused);
            scope.spawn(move || {
                for turn in 0..500_u64 {
                    let owner = table.new_owner();
                    let mut held = Held::default();
                    for step in 0..2 {
                        let at = (thread * 31 + turn * 7 + step * (turn % 3 + 1)) % 4;
                        let place = Place::Row(RelationId(20_000), at);
                        match table.ask(owner, place, Strength::Update) {
                            Asked::Had => continue,
                            Asked::Granted => held.add(table, owner, vec![(place, Strength::Update)]),
                            Asked::Busy => match table.wait_for(owner, place, Strength::Update) {
                                Ok(mut wait) => loop {
                                    if let Some(granted) = look(&mut wait) {
                                        held.join(granted);
                                        break;
                                    }
                                    std::thread::yield_now();
                                },
                                Err(_) => {
                                    refused.fetch_add(1, Ordering::Relaxed);
                                    break;
                                }
                            },
                        }
                        assert_eq!(inside[at as usize].swap(owner, Ordering::SeqCst), 0, "W1: two are in one row");
                        inside[at as usize].store(0, Ordering::SeqCst);
                    }
                    drop(held);
                }
            });
        }
    });
    assert!(table.is_idle() && table.waits.lock().is_empty());
    assert!(table.shards.iter().all(|shard| shard.lock().is_empty()));
}
