//! What was typed, and whether it came back.

use std::collections::BTreeMap;

use super::Sentence;
use crate::report::wording;
use crate::story::Story;
use crate::timeline::{Kind, Line, Stream};

/// More lines than this are told of in one sentence.
const FEW: usize = 4;

/// What was typed, and when it came back.
pub(super) fn lines(story: &Story<'_>) -> Vec<Sentence> {
    let mut typed: BTreeMap<(&str, u32), Vec<(usize, &Line)>> = BTreeMap::new();
    let mut printed: BTreeMap<(&str, u32), Vec<(usize, &Line)>> = BTreeMap::new();
    for (at, event) in story.events.iter().enumerate() {
        if let Kind::Line(line) = &event.kind {
            let lines = match line.stream {
                Stream::Stdin => &mut typed,
                Stream::Stdout => &mut printed,
                Stream::Stderr => continue,
            };
            lines.entry((&event.host, line.pid)).or_default().push((at, line));
        }
    }
    let mut sentences = Vec::new();
    for (key, typed) in typed {
        let mut echoes = printed.remove(&key).unwrap_or_default().into_iter().peekable();
        let told: Vec<Told<'_>> = typed
            .into_iter()
            .map(|(at, line)| {
                let answers = |echo: &Line| echo.text == line.text || !is_echoed(line);
                (at, echoes.next_if(|(_, echo)| answers(echo)), line)
            })
            .collect();
        sentences.extend(if told.len() > FEW { many(story, &told) } else { few(story, &told) });
    }
    sentences
}

/// A line that was typed, and what was printed for it.
type Told<'a> = (usize, Option<(usize, &'a Line)>, &'a Line);

/// Whether the program prints what was typed, and no answer to it.
fn is_echoed(line: &Line) -> bool {
    line.process.starts_with("echo")
}

fn few(story: &Story<'_>, told: &[Told<'_>]) -> Vec<Sentence> {
    let sentence = |&(at, echo, line): &Told<'_>| {
        let t = story.t(at);
        let when = |at: usize| wording::instant(story.t(at));
        let back = match echo {
            Some((echo, _)) if is_echoed(line) => format!("its echo is printed at {}", when(echo)),
            Some((at, answer)) => format!("the answer is {:?}, at {}", answer.text, when(at)),
            None if is_echoed(line) => "no echo of it is ever printed".to_owned(),
            None => "no answer to it is ever printed".to_owned(),
        };
        let who = wording::process(&line.process, line.pid);
        let text = format!("{:?} is typed for {who}; {back}.", line.text);
        Sentence { t, text, events: [at].into_iter().chain(echo.map(|(at, _)| at)).collect() }
    };
    told.iter().map(sentence).collect()
}

fn many(story: &Story<'_>, told: &[Told<'_>]) -> Vec<Sentence> {
    let Some(&(first, _, line)) = told.first() else { return Vec::new() };
    let echoed: Vec<usize> = told.iter().filter_map(|(_, echo, _)| echo.map(|(at, _)| at)).collect();
    let until = echoed
        .last()
        .map_or(String::new(), |&last| format!(", the last at {}", wording::instant(story.t(last))));
    let who = wording::process(&line.process, line.pid);
    let text = format!(
        "{} are typed for {who}; {} printed{until}.",
        wording::count(told.len(), "line"),
        if echoed.len() == told.len() {
            "all their echoes are".to_owned()
        } else {
            format!("{} echoes are", echoed.len())
        },
    );
    let events = told.iter().map(|(at, ..)| *at).chain(echoed).collect();
    vec![Sentence { t: story.t(first), text, events }]
}
