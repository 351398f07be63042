//! Shapes survive packing, and hostile bytes are no shapes.

use proptest::prelude::*;

use super::member::{MEMBERS, WORDS};
use super::*;

fn turn() -> impl Strategy<Value = (Role, Blocks)> {
    (prop::sample::select(Role::ALL.to_vec()), 0_u16..1 << 12)
        .prop_map(|(role, blocks)| (role, Blocks(blocks)))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Text),
        Just(Value::Object),
        Just(Value::SomeNumber),
        any::<bool>().prop_map(Value::Flag),
        any::<u8>().prop_map(Value::List),
        (0..WORDS.len()).prop_map(|word| Value::Word(word as u8)),
        any::<f64>().prop_filter_map("JSON", |number| Decimal::read(number.to_string().as_bytes())
            .map(Value::Number)),
        any::<i64>().prop_filter_map("whole", |number| Decimal::whole(number).map(Value::Number)),
    ]
}

fn outline() -> impl Strategy<Value = Outline> {
    let text = (0_u8..40, 0_u8..4, prop::sample::select(Script::ALL.to_vec()), 0_u8..3, 0_u8..8)
        .prop_map(|(bytes, foreign, script, marks, encoded)| Text { bytes, foreign, script, marks, encoded });
    let tools = (any::<u8>(), any::<u8>(), any::<u32>()).prop_map(|(count, bytes, digest)| Tools {
        count,
        bytes,
        digest,
    });
    let members = prop::collection::vec(((0..MEMBERS.len()).prop_map(|id| id as u8), value()), 0..9);
    let kinds = prop::collection::vec((0..WORDS.len()).prop_map(|word| word as u8), 0..8);
    let head = (prop::sample::select(Dialect::ALL.to_vec()), any::<u16>(), text, any::<[u8; 3]>());
    (
        head,
        prop::collection::vec(turn(), 0..12),
        prop::option::of((tools, kinds)),
        any::<Option<u32>>(),
        members,
    )
        .prop_map(|((dialect, traits, text, counts), said, tools, schema, members)| {
            let mut turns = Turns { count: four(said.len() as u64), ..Turns::default() };
            said.iter().for_each(|(role, blocks)| turns.push(*role, *blocks));
            let [media, cache_marks, unknown] = counts;
            let (tools, kinds) = tools.unzip();
            Outline {
                dialect,
                traits: Traits(traits),
                text,
                media,
                cache_marks,
                turns,
                tools,
                tool_kinds: SmallVec::from_vec(kinds.unwrap_or_default()),
                schema,
                unknown,
                members: SmallVec::from_vec(members),
            }
        })
}

proptest! {
    #[test]
    fn a_shape_survives_packing(outline in outline()) {
        let shape = outline.pack();
        prop_assert!(shape.as_bytes().len() <= SHAPE_BYTES_MAX);
        prop_assert_eq!(&shape.outline(), &outline);
        prop_assert_eq!(Shape::from_bytes(shape.as_bytes()), Some(shape.clone()));
        let text = serde_json::to_string(&shape).unwrap();
        prop_assert_eq!(serde_json::from_str::<Shape>(&text).unwrap(), shape);
    }

    #[test]
    fn bytes_that_nobody_packed_are_no_shape_or_a_whole_one(
        outline in outline(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        more in prop::collection::vec(any::<u8>(), 0..30),
        cut: prop::sample::Index,
    ) {
        let mut bytes = outline.pack().as_bytes().to_vec();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.extend_from_slice(&more);
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())], &more] {
            if let Some(shape) = Shape::from_bytes(bytes) {
                prop_assert_eq!(shape.outline().pack(), shape);
            }
        }
    }

    #[test]
    fn numbers_keep_their_first_digits(number: f64, whole: i32) {
        for text in [number.to_string(), whole.to_string(), format!("{:e}", number)] {
            let exact: f64 = text.parse().unwrap();
            let Some(kept) = Decimal::read(text.as_bytes()) else { continue };
            let far = (kept.as_f64() - exact).abs();
            prop_assert!(far <= exact.abs() * 0.1, "{} is kept as {}", text, kept);
            prop_assert!(kept.is_rounded || far <= exact.abs() * 1e-12);
        }
    }
}

#[test]
fn numbers_that_people_write_are_exact() {
    for text in
        ["0", "1", "0.7", "-1", "0.95", "1e-5", "4096", "8192", "65536", "131072", "128000", "32000", "1.0"]
    {
        let kept = Decimal::read(text.as_bytes()).unwrap();
        assert!(!kept.is_rounded, "{text}");
        assert!((kept.as_f64() - text.parse::<f64>().unwrap()).abs() < 1e-12, "{text} is kept as {kept}");
    }
    let odd = Decimal::read(b"31337").unwrap();
    assert_eq!((odd.to_string().as_str(), odd.is_rounded), ("31000", true));
    assert_eq!(Decimal::read(b"1.0"), Decimal::read(b"1"));
    for text in ["", "-", "+1", "1e", "0x1", "1.2.3", "nope", "1e999999999999"] {
        assert!(Decimal::read(text.as_bytes()).is_none_or(|kept| kept.digits == 0), "{text}");
    }
}

#[test]
fn steps_of_sizes_and_counts_hold_what_they_say() {
    for size in [0, 1, 2, 3, 4, 5, 15, 16, 1023, 1024, 4096, 1 << 20, u64::MAX / 3] {
        let (low, high) = four_range(four(size));
        assert!(low <= size && size < high, "{size} is between {low} and {high}");
    }
    for count in [0, 1, 15, 16, 31, 32, 1000] {
        let least = few_least(few(count));
        assert!(least <= count && count < (2 * least).max(count.min(16) + 1), "{count} is at least {least}");
    }
}

#[test]
fn every_member_and_word_is_found_under_its_own_number() {
    assert!(MEMBERS.len() < usize::from(member::TOP), "a place is a byte, and one means the top");
    assert!(WORDS.len() < 256);
    for (member, place) in MEMBERS.iter().zip(0_u8..) {
        let (parent, name) = member.path.rsplit_once('.').unwrap_or(("", member.path));
        let parent = if parent.is_empty() { member::TOP } else { member::id(parent).unwrap() };
        assert_eq!(member::find(parent, name.as_bytes()), Some(place), "{}", member.path);
        assert!(parent == member::TOP || (parent < place && member::is_parent(parent)), "{}", member.path);
    }
    for (word, place) in WORDS.iter().zip(0_u8..) {
        assert_eq!(member::find_word(word.as_bytes()), Some(place), "{word}");
    }
    assert_eq!((member::find(member::TOP, b""), member::find_word(b"secret")), (None, None));
}

#[test]
fn a_conversation_that_grows_keeps_its_shape_but_for_its_length() {
    let (text, call) = (Blocks::TEXT, Blocks::TEXT.with(Blocks::CALL));
    let folded = |rounds: usize| {
        let mut turns = Turns::default();
        turns.push(Role::System, text);
        turns.push(Role::User, text);
        for _ in 0..rounds {
            turns.push(Role::Assistant, call);
            turns.push(Role::Tool, Blocks::RESULT);
        }
        turns
    };
    let shapes: std::collections::HashSet<_> =
        (0..200).map(|rounds| format!("{:?}", folded(rounds))).collect();
    assert_eq!(shapes.len(), 3, "none, one, more: {shapes:#?}");
    let last = folded(50).final_turn().unwrap();
    assert_eq!((last.role, last.blocks), (Role::Tool, Blocks::RESULT));
}

#[test]
fn equal_turns_in_a_row_are_one() {
    let mut turns = Turns::default();
    (0..3).for_each(|_| turns.push(Role::User, Blocks::TEXT));
    assert_eq!(turns.first.as_slice(), [Turn { role: Role::User, blocks: Blocks::TEXT, is_run: true }]);
    assert!(turns.last.is_empty() && turns.between.is_empty());
}
