//! Arrows between lifelines, and the words on them.

use anstyle::Style;

use super::line::Line;
use super::page::{NEAREST, Page};
use crate::report::sequence::{Arrow, ArrowEnd, Manner};
use crate::time::SimTime;

impl Page<'_> {
    pub(super) fn arrow(&mut self, t: SimTime, arrow: &Arrow) -> Line {
        let mut line = self.blank(t);
        if arrow.to == arrow.from {
            self.to_itself(&mut line, arrow);
            return line;
        }
        let stop = match arrow.end {
            ArrowEnd::Lost { column, .. } => column,
            _ => arrow.to,
        };
        // Lost by the sender's own host: there is nothing to draw but a stump.
        let rightwards = (if stop == arrow.from { arrow.to } else { stop }) > arrow.from;
        let way = usize::from(!rightwards);
        let (from, mut to) = (self.places[arrow.from], self.places[stop]);
        if from == to {
            to = if rightwards { from + NEAREST / 2 } else { from - NEAREST / 2 };
        }
        let (left, right) = (from.min(to), from.max(to));
        let style = self.arrow_style(arrow);
        line.fill(left + 1, right, self.glyphs.line, style);
        for (n, &place) in self.places.iter().enumerate() {
            if (left + 1..right).contains(&place) && !self.down[n] {
                line.put(place, self.glyphs.crossing, style);
            }
        }
        line.put(from, self.glyphs.begin[way], Style::new());
        let near = |n: usize| if rightwards { to - n } else { to + n };
        let mut room = right - left - 3;
        match arrow.end {
            ArrowEnd::Arrived(_) => line.put(near(1), self.glyphs.head[way], style),
            ArrowEnd::Underway => line.write(near(1).min(near(3)), "...", style),
            ArrowEnd::Lost { reason, column, .. } => {
                let lost = self.terminal.palette.lost;
                line.put(to, self.glyphs.lost, lost);
                let reason = format!("lost: {reason}");
                let length = reason.chars().count();
                let end = [0, self.width - 1][usize::from(rightwards)];
                if to.abs_diff(end) > length + 1 && self.columns[column].router {
                    room += 1;
                    line.write(if rightwards { to + 2 } else { to - 1 - length }, &reason, lost);
                } else {
                    let at = if rightwards { right - 2 - length } else { left + 3 };
                    line.write(at - 1, &format!(" {reason} "), lost);
                    room = room.saturating_sub(length + 2);
                }
            }
        }
        self.label(&mut line, arrow, (left, right), rightwards, room);
        line
    }

    /// A packet of a host's to itself: it comes back at once, and its words are where there is more room.
    fn to_itself(&self, line: &mut Line, arrow: &Arrow) {
        let from = self.places[arrow.from];
        let rightwards = from <= self.width / 2;
        let (left, right) = if rightwards { (from, self.width) } else { (self.places[0], from) };
        let (way, style) = (usize::from(!rightwards), self.arrow_style(arrow));
        line.put(from, self.glyphs.begin[way], Style::new());
        let (glyph, lost) = match arrow.end {
            ArrowEnd::Lost { reason, .. } => (self.glyphs.lost, Some(format!("lost: {reason}"))),
            ArrowEnd::Arrived(_) | ArrowEnd::Underway => (self.glyphs.head[1 - way], None),
        };
        line.put(if rightwards { from + 1 } else { from - 1 }, glyph, style);
        let arrow = Arrow { note: lost.or_else(|| arrow.note.clone()), ..arrow.clone() };
        self.label(line, &arrow, (left, right), rightwards, (right - left).saturating_sub(3));
    }

    /// The words on an arrow, next to its sender; as many as there is room for.
    fn label(
        &self,
        line: &mut Line,
        arrow: &Arrow,
        (left, right): (usize, usize),
        rightwards: bool,
        room: usize,
    ) {
        let palette = &self.terminal.palette;
        let style = match arrow.manner {
            Manner::Icmp => palette.icmp,
            Manner::Reset => palette.errno,
            _ => Style::new(),
        };
        let copy = arrow.copy.then(|| "a copy".to_owned());
        let mut words = vec![(self.plain(&arrow.label), style)];
        words.extend(arrow.note.clone().or(copy).map(|note| (self.plain(&note), palette.note)));
        words.extend(arrow.data.iter().map(|data| (self.plain(data), Style::new())));
        let length = |words: &[(String, Style)]| {
            words.iter().map(|(word, _)| word.chars().count() + 1).sum::<usize>() + 1
        };
        if arrow.data.is_some() && length(&words) > room {
            words.pop();
        }
        if length(&words) > room {
            // Without the acknowledgment: what is sent tells it from its neighbours.
            if let Some((short, _)) = words[0].0.split_once(", ") {
                words[0].0 = short.to_owned();
            }
        }
        if length(&words) > room
            && let [_, (note, _)] = words.as_mut_slice()
        {
            *note = note.replace("retransmission", "again");
        }
        if length(&words) > room {
            words.truncate(1);
        }
        let length = length(&words).min(room);
        let mut at = if rightwards { left + 2 } else { right - 1 - length };
        line.put(at, ' ', Style::new());
        for (word, style) in words {
            line.write(at + 1, &word, style);
            at += word.chars().count() + 1;
            line.put(at, ' ', Style::new());
        }
    }

    fn arrow_style(&self, arrow: &Arrow) -> Style {
        match (arrow.end, arrow.manner) {
            (ArrowEnd::Lost { .. }, _) => self.terminal.palette.lost,
            (_, Manner::Reset) => self.terminal.palette.errno,
            (_, Manner::Icmp) => self.terminal.palette.icmp,
            _ => Style::new(),
        }
    }
}
