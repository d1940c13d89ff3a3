//! Reads a packet that is too large piece by piece, and keeps a small packet of it: with the same
//! head, the same name, and the member `_rt` of the event's data.
//!
//! Nothing else is kept, whatever the packet contains and however it is cut into pieces. The JSON
//! is not checked, except that its brackets close. A member whose name is written with escapes
//! (`"\u005frt"`) does not count as `_rt`: no server of this project writes it so.

use super::DecodeError;

/// The most bytes that are kept of each part.
const MAX_KEPT: usize = 1024;

/// The name of the member that is kept, as it is written.
const STAMP_KEY: &[u8] = br#""_rt""#;

#[derive(Debug)]
pub(crate) struct PacketReducer {
    /// The limit that the packet exceeds.
    max: usize,
    part: PacketPart,
    /// The type, the number of attachments, the namespace and the id.
    head: Vec<u8>,
    in_namespace: bool,
    /// The number of open brackets.
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// The number of commas in the outer array so far.
    element: usize,
    member: Member,
    key: Vec<u8>,
    name: Vec<u8>,
    stamp: Vec<u8>,
    /// The number of members `_rt` of the data.
    stamps: usize,
}

/// The part of the packet that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PacketPart {
    Head,
    Array,
    /// The array has ended.
    End,
}

/// The part of the event's data that is read, if the data is an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    /// The data is no object, or is not read now.
    None,
    Key,
    Value,
    /// The value of `_rt`.
    Stamp,
}

impl PacketReducer {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            part: PacketPart::Head,
            head: Vec::new(),
            in_namespace: false,
            depth: 0,
            in_string: false,
            is_escaped: false,
            element: 0,
            member: Member::None,
            key: Vec::new(),
            name: Vec::new(),
            stamp: Vec::new(),
            stamps: 0,
        }
    }

    /// Reads the next piece.
    pub(crate) fn read(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        for byte in piece {
            match self.part {
                PacketPart::Head => self.read_head(*byte)?,
                PacketPart::Array if self.in_string => self.read_string(*byte)?,
                PacketPart::Array => self.read_json(*byte)?,
                PacketPart::End if byte.is_ascii_whitespace() => {}
                PacketPart::End => return Err(DecodeError::Shape),
            }
        }
        Ok(())
    }

    /// Returns the small packet.
    pub(crate) fn finish(self) -> Result<String, DecodeError> {
        if self.part != PacketPart::End {
            return Err(DecodeError::Shape);
        }
        let has_stamp = self.is_event() && self.stamps == 1;
        let mut text = self.head;
        text.push(b'[');
        text.extend(&self.name);
        if has_stamp && self.stamp.len() <= MAX_KEPT {
            text.extend(b",{\"_rt\":");
            text.extend(&self.stamp);
            text.push(b'}');
        }
        text.push(b']');
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn read_head(&mut self, byte: u8) -> Result<(), DecodeError> {
        if byte == b'[' && !self.in_namespace {
            self.part = PacketPart::Array;
            self.depth = 1;
            return Ok(());
        }
        let is_first = self.head.is_empty();
        // Other packets than events and acknowledgements are read whole, or not at all.
        if is_first && !b"2356".contains(&byte) || self.head.len() == MAX_KEPT {
            return Err(DecodeError::TooLong(self.max));
        }
        self.head.push(byte);
        self.in_namespace = byte == b'/' || self.in_namespace && byte != b',';
        Ok(())
    }

    fn read_string(&mut self, byte: u8) -> Result<(), DecodeError> {
        if self.is_escaped {
            self.is_escaped = false;
        } else if byte == b'\\' {
            self.is_escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
        }
        self.keep(byte)
    }

    fn read_json(&mut self, byte: u8) -> Result<(), DecodeError> {
        match byte {
            b'[' | b'{' => self.open(byte),
            b']' | b'}' => self.close(byte),
            b',' if self.depth == 1 => {
                self.element += 1;
                Ok(())
            }
            b',' if self.depth == 2 && self.member != Member::None => {
                self.begin_key();
                Ok(())
            }
            b':' if self.depth == 2 && self.member == Member::Key => {
                self.begin_value();
                Ok(())
            }
            _ => {
                self.in_string = byte == b'"';
                self.keep(byte)
            }
        }
    }

    fn open(&mut self, byte: u8) -> Result<(), DecodeError> {
        self.depth += 1;
        if self.depth == 2 && self.element == 1 {
            if byte == b'{' {
                self.begin_key();
            }
            return Ok(());
        }
        self.keep(byte)
    }

    fn close(&mut self, byte: u8) -> Result<(), DecodeError> {
        let ends_data = self.depth == 2 && self.element == 1;
        let ends_array = self.depth == 1;
        self.depth -= 1;
        if ends_data {
            self.member = Member::None;
        } else if ends_array {
            self.part = PacketPart::End;
        } else {
            return self.keep(byte);
        }
        Ok(())
    }

    fn begin_key(&mut self) {
        self.member = Member::Key;
        self.key.clear();
    }

    fn begin_value(&mut self) {
        self.member = Member::Value;
        if self.key == STAMP_KEY {
            self.member = Member::Stamp;
            self.stamps += 1;
        }
    }

    fn is_event(&self) -> bool {
        matches!(self.head.first(), Some(b'2' | b'5'))
    }

    /// Keeps a byte, if it belongs to something that is kept.
    fn keep(&mut self, byte: u8) -> Result<(), DecodeError> {
        if !self.is_event() {
            return Ok(());
        }
        if self.element == 0 {
            if self.name.len() == MAX_KEPT {
                return Err(DecodeError::TooLong(self.max));
            }
            self.name.push(byte);
        }
        let is_space = byte.is_ascii_whitespace() && !self.in_string;
        let is_key = self.member == Member::Key && !is_space;
        // One byte more than counts: so a longer key is another one.
        if is_key && self.key.len() <= STAMP_KEY.len() {
            self.key.push(byte);
        }
        if self.member == Member::Stamp && self.stamp.len() <= MAX_KEPT {
            self.stamp.push(byte);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::client::packet::SkimmedPacket;

    /// Reads the packet in pieces of every size up to 5 bytes. Returns what is kept.
    #[track_caller]
    fn reduced(text: &str) -> String {
        let mut reduced = (1..=5).map(|size| {
            let mut reducer = PacketReducer::new(1);
            for piece in text.as_bytes().chunks(size) {
                reducer.read(piece).unwrap();
            }
            reducer.finish().unwrap()
        });
        let first = reduced.next().unwrap();
        assert!(reduced.all(|other| other == first), "{text}");
        first
    }

    #[test]
    fn the_head_the_name_and_the_stamp_are_kept() {
        for (packet, kept) in [
            (
                r#"2["a",{"x":[{"_rt":1}],"_rt":{"at":"p.1"}}]"#,
                r#"2["a",{"_rt":{"at":"p.1"}}]"#,
            ),
            (
                r#"2["a",{"_rt":{"at":"p.1","o":{"p":[]}},"x":"}]"}]"#,
                r#"2["a",{"_rt":{"at":"p.1","o":{"p":[]}}}]"#,
            ),
            (
                r#"52-/b[,7[ "a" , { "_rt" : {"at":"p,1"} } , {"_rt":2} ] "#,
                r#"52-/b[,7[ "a" ,{"_rt": {"at":"p,1"} }]"#,
            ),
            (
                r#"2["a\",b",{"\"_rt\":":1,"_rt2":2," _rt":"\\"}]"#,
                r#"2["a\",b"]"#,
            ),
            (r#"2["a",["_rt",{"_rt":1}]]"#, r#"2["a"]"#),
            (r#"2["a",{"_rt":1,"_rt":2}]"#, r#"2["a"]"#),
            (r#"2["a"]"#, r#"2["a"]"#),
            (r#"312[{"_rt":{"at":"p.1"}},{"_rt":2}]"#, "312[]"),
            (r#"61-7["x"]"#, "61-7[]"),
        ] {
            assert_eq!(reduced(packet), kept, "{packet}");
        }
    }

    #[test]
    fn a_packet_that_is_cut_off_or_too_large_in_its_head_is_refused() {
        let long = "x".repeat(2_000);
        for packet in [
            "",
            "2",
            r#"2["a""#,
            r#"2["a",{"x":1]"#,
            r#"2["a]"#,
            r#"2["a"]x"#,
            "0[]",
            &format!("2/{long},[\"a\"]"),
            &format!("2[\"{long}\"]"),
        ] {
            let mut reducer = PacketReducer::new(1);
            let read = reducer.read(packet.as_bytes());
            let result = read.and_then(|()| reducer.finish());
            let skimmed = result.and_then(|text| SkimmedPacket::read(&text));
            assert!(skimmed.is_err(), "{packet:?}: {skimmed:?}");
        }
    }

    #[test]
    fn a_stamp_that_is_too_large_counts_as_none() {
        let long = "x".repeat(2_000);
        assert_eq!(
            reduced(&format!(r#"2["a",{{"_rt":"{long}"}}]"#)),
            r#"2["a"]"#
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let text = r#"[_rt"\\\[\]{},: é\n]{0,6}"#;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let key = prop_oneof![r#"[_rt"\\{}:,]{0,5}"#, Just("_rt".to_owned())];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(key, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![any::<u8>(), proptest::sample::select(&br#""[]{},:"#[..])]
    }

    proptest! {
        /// The small packet is about the same as the large one.
        #[test]
        fn the_small_packet_reads_as_the_large_one(
            mut args in proptest::collection::vec(value(), 0..4),
            name in r#"[a"\\\[\]{},é]{0,6}"#,
            head in "(2|51-|3|62-)(/[a-z]{1,3},)?[0-9]{1,3}",
            size in 1usize..9,
        ) {
            args.insert(0, json!(name));
            let text = format!("{head}{}", Value::from(args));
            let mut reducer = PacketReducer::new(1);
            for piece in text.as_bytes().chunks(size) {
                reducer.read(piece).unwrap();
            }
            let small = SkimmedPacket::read(&reducer.finish().unwrap());
            prop_assert_eq!(small.unwrap(), SkimmedPacket::read(&text).unwrap());
        }

        #[test]
        fn no_bytes_panic_and_few_are_kept(
            bytes in proptest::collection::vec(byte(), 0..1_200),
        ) {
            let mut reducer = PacketReducer::new(1);
            reducer.read(b"2").unwrap();
            if reducer.read(&bytes).is_ok() && let Ok(text) = reducer.finish() {
                prop_assert!(text.len() < 16 * MAX_KEPT);
            }
        }
    }
}
