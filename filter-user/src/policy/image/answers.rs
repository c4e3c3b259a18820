//! Short forms of answers, for narrow leaves.

use super::room::Room;
use super::{Full, HEADER, Memory};
use filter_common::policy::{LINE_WORDS, LONG_ANSWERS, Ref};
use std::collections::HashMap;

/// The answers that have no short form of their own, in a table at the image's side.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// Where the table starts; it is made when it is first needed.
    table: Option<u32>,
    numbers: HashMap<Ref, u32>,
}

/// The header's word that says where the table starts.
const TABLE_WORD: usize = 0;

impl Answers {
    /// What a narrow leaf has for an answer; `None` if the table is full.
    pub(super) fn code<M: Memory>(
        &mut self,
        memory: &mut M,
        room: &mut Room,
        answer: Ref,
    ) -> Result<Option<u16>, Full> {
        if let Some(short) = answer.short() {
            return Ok(Some(short));
        }
        let next = u32::try_from(self.numbers.len()).unwrap_or(LONG_ANSWERS);
        let known = self.numbers.get(&answer).copied();
        let number = known.unwrap_or(next);
        if number >= LONG_ANSWERS {
            return Ok(None);
        }
        if known.is_none() {
            let table = self.table(memory, room)?;
            let (line, word) = super::build::slot_at(table, number);
            memory.write(line, word, answer.0);
            self.numbers.insert(answer, number);
        }
        Ok(u16::try_from(LONG_ANSWERS + number).ok())
    }

    fn table<M: Memory>(&mut self, memory: &mut M, room: &mut Room) -> Result<u32, Full> {
        const LINES: u32 = LONG_ANSWERS / LINE_WORDS.to_le_bytes()[0] as u32;
        if let Some(table) = self.table {
            return Ok(table);
        }
        let table = room.lines(LINES)?;
        memory.switch(HEADER, TABLE_WORD, table);
        self.table = Some(table);
        Ok(table)
    }
}
