//! What everything looks like.

use std::io::{self, Write};

use super::layout::{Item, LINE, Layout, Point, TIMES};
use super::style;
use crate::report::sequence::{Arrow, ArrowEnd, Column, Manner, NoteKind, PowerChange};
use crate::report::{RunInfo, wording};

/// About as wide as a character of a label is, in pixels.
const LETTER: f64 = 6.62;

pub(super) struct Drawing<'a> {
    pub(super) layout: &'a Layout<'a>,
    pub(super) columns: &'a [Column],
}

impl Drawing<'_> {
    pub(super) fn write(&self, out: &mut dyn Write, run: &RunInfo) -> io::Result<()> {
        let Layout { width, height, .. } = *self.layout;
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img">"#
        )?;
        writeln!(out, "<title>{}</title>", escape(&run.sentence))?;
        writeln!(out, "<desc>{}</desc>", escape(&run.command()))?;
        writeln!(out, "<style>{}</style>", style::sheet())?;
        writeln!(out, r#"<rect class="paper" width="{width:.0}" height="{height:.0}" rx="8"/>"#)?;
        let middle = width / 2.0;
        text(out, "title", "middle", Point { x: middle, y: 32.0 }, &run.sentence)?;
        text(out, "mono quiet", "middle", Point { x: middle, y: 52.0 }, &run.command())?;
        self.frames(out)?;
        self.lifelines(out)?;
        self.hosts(out)?;
        // Words lie over arrows, wherever they cross.
        let (arrows, others): (Vec<_>, Vec<_>) =
            self.layout.items.iter().partition(|item| matches!(item, Item::Arrow { .. }));
        arrows.into_iter().chain(others).try_for_each(|item| self.item(out, item))?;
        writeln!(out, "</svg>")
    }

    /// Frames lie under everything else.
    fn frames(&self, out: &mut dyn Write) -> io::Result<()> {
        let (left, right) = (TIMES + 8.0, self.layout.width - 16.0);
        for item in &self.layout.items {
            if let Item::Frame { top, bottom, .. } = item {
                writeln!(
                    out,
                    r#"<rect class="frame" x="{left:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" rx="8"/>"#,
                    right - left,
                    bottom - top
                )?;
            }
        }
        Ok(())
    }

    /// Each host's line, dotted where time is folded, and gone while the host is down.
    fn lifelines(&self, out: &mut dyn Write) -> io::Result<()> {
        for (column, &x) in self.layout.places.iter().enumerate() {
            let (mut from, mut up) = (self.layout.top, true);
            let mut stretch = |class: &str, from: f64, to: f64, up: bool| {
                if up && to > from {
                    writeln!(
                        out,
                        r#"<line class="{class}" x1="{x:.1}" y1="{from:.1}" x2="{x:.1}" y2="{to:.1}"/>"#
                    )
                } else {
                    Ok(())
                }
            };
            for item in &self.layout.items {
                match item {
                    Item::Fold { y, .. } => {
                        stretch("life", from, y - 17.0, up)?;
                        stretch("fold", y - 13.0, y + 15.0, up)?;
                        from = y + 17.0;
                    }
                    Item::Fault { y, column: Some(at), power: Some(power), .. } if *at == column => {
                        stretch("life", from, *y, up)?;
                        (from, up) = (*y, *power == PowerChange::On);
                    }
                    _ => {}
                }
            }
            stretch("life", from, self.layout.height - 18.0, up)?;
        }
        Ok(())
    }

    fn hosts(&self, out: &mut dyn Write) -> io::Result<()> {
        for (column, &x) in self.columns.iter().zip(&self.layout.places) {
            let half = (column.name.chars().count() as f64 * 8.0 / 2.0 + 14.0).max(38.0);
            let y = self.layout.top - 24.0;
            writeln!(
                out,
                r#"<rect class="host" x="{:.1}" y="{y:.1}" width="{:.1}" height="26" rx="6"/>"#,
                x - half,
                half * 2.0
            )?;
            text(out, "title name", "middle", Point { x, y: y + 17.5 }, &column.name)?;
        }
        Ok(())
    }

    fn item(&self, out: &mut dyn Write, item: &Item<'_>) -> io::Result<()> {
        match item {
            Item::Time { y, t } => {
                text(out, "mono quiet", "end", Point { x: TIMES, y: y + 4.0 }, &wording::instant(*t))
            }
            Item::Arrow { arrow, from, to } => self.arrow(out, arrow, *from, *to),
            Item::Note { column, y, lines } => self.note(out, *column, *y, lines),
            Item::Fault { y, column, title, power } => self.fault(out, *y, *column, title, *power),
            Item::Fold { y, text: words } => {
                let x = self.middle();
                let half = words.chars().count() as f64 * 3.4 + 12.0;
                writeln!(
                    out,
                    r#"<rect class="pill" x="{:.1}" y="{:.1}" width="{:.1}" height="20" rx="10"/>"#,
                    x - half,
                    y - 10.0,
                    half * 2.0
                )?;
                text(out, "quiet", "middle", Point { x, y: y + 4.2 }, words)
            }
            Item::Frame { bottom, text: words, .. } => {
                let at = Point { x: self.layout.width - 32.0, y: bottom - 12.0 };
                text(out, "quiet strong", "end", at, words)
            }
        }
    }

    /// Half way between the first host and the last, but not on a lifeline.
    fn middle(&self) -> f64 {
        let places = &self.layout.places;
        match places.as_slice() {
            [] => TIMES,
            [only] => only + 80.0,
            [first, .., last] => {
                let middle = (first + last) / 2.0;
                let free = places.iter().all(|place| (place - middle).abs() > 60.0);
                if free { middle } else { (first + places[1]) / 2.0 }
            }
        }
    }

    fn note(
        &self,
        out: &mut dyn Write,
        column: usize,
        y: f64,
        lines: &[(NoteKind, String)],
    ) -> io::Result<()> {
        // Notes of the last host stand outside, to its right; all others to the left, on white where arrows pass.
        let last = column > 0 && column + 1 == self.columns.len();
        let (anchor, x) = match last {
            true => ("start", self.layout.places[column] + 12.0),
            false => ("end", self.layout.places[column] - 12.0),
        };
        let halo = if column > 0 && !last { " halo" } else { "" };
        for (n, (kind, line)) in lines.iter().enumerate() {
            let class = match kind {
                NoteKind::State => "state strong",
                NoteKind::Call | NoteKind::Process => "note",
                NoteKind::Error => "bad strong",
                NoteKind::Line => "said",
            };
            let at = Point { x, y: y + 4.0 + LINE * n as f64 };
            text(out, &format!("{class}{halo}"), anchor, at, line)?;
        }
        Ok(())
    }

    fn arrow(&self, out: &mut dyn Write, arrow: &Arrow, from: Point, to: Point) -> io::Result<()> {
        let class = match arrow.manner {
            Manner::Plain => "plain",
            Manner::Ack => "ack",
            Manner::Again => "again",
            Manner::Reset => "reset",
            Manner::Icmp => "icmp",
        };
        let lost = match arrow.end {
            ArrowEnd::Lost { reason, .. } => Some(reason),
            _ => None,
        };
        let line = match (lost, arrow.end) {
            (Some(_), _) => "lost".to_owned(),
            (None, ArrowEnd::Underway) => format!("{class} dashed"),
            _ => class.to_owned(),
        };
        let dashed = if arrow.copy { " dashed" } else { "" };
        writeln!(
            out,
            r#"<line class="{line}{dashed}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            from.x, from.y, to.x, to.y
        )?;
        let rightwards = if to.x == from.x { arrow.to > arrow.from } else { to.x > from.x };
        match (lost, arrow.end) {
            (Some(reason), _) => {
                cross(out, "lost cross", to, 5.0)?;
                let (anchor, x) = if rightwards { ("start", to.x + 12.0) } else { ("end", to.x - 12.0) };
                text(out, "bad", anchor, Point { x, y: to.y + 4.0 }, &format!("lost: {reason}"))?;
            }
            (None, ArrowEnd::Arrived(_)) => head(out, class, from, to)?,
            _ => {}
        }
        self.label(out, arrow, from, to)
    }

    /// The words along an arrow.
    fn label(&self, out: &mut dyn Write, arrow: &Arrow, from: Point, to: Point) -> io::Result<()> {
        let length = 2.0 * (self.label_at(from, to).x - from.x).abs();
        let room = ((length - 20.0).max(0.0) / LETTER) as usize;
        let class = match arrow.manner {
            Manner::Icmp => "icmp-label",
            Manner::Reset => "bad mono strong",
            Manner::Again => "again-label",
            Manner::Plain | Manner::Ack => "label",
        };
        // A packet that its sender's own host loses goes nowhere.
        let slope = if to.x == from.x { 0.0 } else { (to.y - from.y) / (to.x - from.x) };
        let angle = slope.atan().to_degrees();
        let Point { x, y } = self.label_at(from, to);
        let words = escape(&words(arrow, room));
        writeln!(
            out,
            r#"<text class="{class} halo" text-anchor="middle" x="{x:.1}" y="{y:.1}" transform="rotate({angle:.2} {x:.1} {y:.1})">{words}</text>"#
        )
    }

    /// The middle of a label: half way to the next host, which is most often where the arrow ends.
    fn label_at(&self, from: Point, to: Point) -> Point {
        let rightwards = to.x >= from.x;
        let beyond = |&x: &f64| if rightwards { x > from.x && x < to.x } else { x < from.x && x > to.x };
        let hosts = self.layout.places.iter().zip(self.columns).filter(|(_, column)| !column.router);
        let between = hosts.map(|(x, _)| *x).filter(beyond);
        let nearest = between.min_by(|a, b| (a - from.x).abs().total_cmp(&(b - from.x).abs()));
        let along = nearest.map_or(0.5, |x| (x - from.x) / (to.x - from.x) / 2.0);
        Point { x: from.x + (to.x - from.x) * along, y: from.y + (to.y - from.y) * along - 4.5 }
    }

    fn fault(
        &self,
        out: &mut dyn Write,
        y: f64,
        column: Option<usize>,
        title: &str,
        power: Option<PowerChange>,
    ) -> io::Result<()> {
        let (left, right) = (TIMES + 8.0, self.layout.width - 16.0);
        writeln!(out, r#"<line class="fault" x1="{left:.1}" y1="{y:.1}" x2="{right:.1}" y2="{y:.1}"/>"#)?;
        let half = title.chars().count() as f64 * 3.5 + 14.0;
        let place = column.map_or(self.middle(), |column| self.layout.places[column]);
        // Beside the lifeline, so that one sees where it ends.
        let inner = if place > self.middle() { place - half - 18.0 } else { place + half + 18.0 };
        let x = if power.is_some() { inner } else { place.min(right - half).max(left + half) };
        writeln!(
            out,
            r#"<rect class="fault-pill" x="{:.1}" y="{:.1}" width="{:.1}" height="20" rx="10"/>"#,
            x - half,
            y - 10.0,
            half * 2.0
        )?;
        text(out, "fault-label strong", "middle", Point { x, y: y + 4.2 }, title)?;
        match power {
            Some(PowerChange::Off) => cross(out, "fault death", Point { x: place, y }, 7.0),
            Some(PowerChange::On) => {
                writeln!(out, r#"<circle class="fault-pill" cx="{place:.1}" cy="{y:.1}" r="5"/>"#)
            }
            None => Ok(()),
        }
    }
}

/// What is said of a packet: as much as there is room for, in characters.
fn words(arrow: &Arrow, room: usize) -> String {
    let copy = if arrow.copy { "a copy" } else { "" };
    let note = arrow.note.as_deref().unwrap_or(copy);
    let data = arrow.data.as_deref().unwrap_or("");
    let short = arrow.label.split(", ").next().unwrap_or("");
    let full = [arrow.label.as_str(), note, data];
    let again = note.replace("retransmission", "again");
    let tries = [full, [&arrow.label, note, ""], [short, note, ""], [short, &again, ""], [short, "", ""]];
    let joined =
        tries.map(|words| words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "));
    let fits = joined.iter().find(|words| words.chars().count() <= room);
    fits.unwrap_or(&joined[joined.len() - 1]).clone()
}

fn head(out: &mut dyn Write, class: &str, from: Point, to: Point) -> io::Result<()> {
    let length = (to.x - from.x).hypot(to.y - from.y).max(1.0);
    let (dx, dy) = ((to.x - from.x) / length, (to.y - from.y) / length);
    let at = |along: f64, across: f64| {
        format!("{:.1} {:.1}", to.x - dx * along - dy * across, to.y - dy * along + dx * across)
    };
    writeln!(
        out,
        r#"<path class="{class}-head" d="M{}L{}L{}L{}Z"/>"#,
        at(0.8, 0.0),
        at(10.0, 4.2),
        at(7.6, 0.0),
        at(10.0, -4.2)
    )
}

fn cross(out: &mut dyn Write, class: &str, Point { x, y }: Point, arm: f64) -> io::Result<()> {
    let (l, r, t, b) = (x - arm, x + arm, y - arm, y + arm);
    writeln!(out, r#"<path class="{class}" d="M{l:.1} {t:.1}L{r:.1} {b:.1}M{l:.1} {b:.1}L{r:.1} {t:.1}"/>"#)
}

fn text(out: &mut dyn Write, class: &str, anchor: &str, at: Point, words: &str) -> io::Result<()> {
    let anchor = if anchor == "start" { String::new() } else { format!(r#" text-anchor="{anchor}""#) };
    let words = escape(words);
    writeln!(out, r#"<text class="{class}"{anchor} x="{:.1}" y="{:.1}">{words}</text>"#, at.x, at.y)
}

/// Text as XML has it; control characters, which XML cannot hold, are shown.
fn escape(text: &str) -> String {
    let mut safe = String::new();
    for c in wording::printable(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(c),
        }
    }
    safe
}
