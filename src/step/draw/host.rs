//! One host: its sockets and their timers, its processes, its screen.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::{BAD, SOFT, STRONG};
use crate::os::sim::{ProcessInfo, ProcessState};
use crate::sim::HostHistory;
use crate::stack::{SocketInfo, TimerKind};
use crate::step::Debugger;
use crate::timeline::{Stream, TcpState};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, debugger: &Debugger<'_>, history: &HostHistory) {
    let (session, at) = (debugger.session(), debugger.at());
    let title = Line::styled(format!(" {} ", history.name), STRONG);
    let sockets = session.sockets(history, at);
    let block = match &sockets {
        Some(_) => Block::bordered().title(title),
        None => Block::bordered().title(title).title(Span::styled(" down ", BAD)).border_style(BAD),
    };
    let inner = block.inner(area);
    frame.render_widget(block, area);

    let rows = usize::from(inner.height);
    let screen = session.screen(&history.name, at, (rows / 4).max(2));
    let mut lines: Vec<Line<'_>> = sockets.iter().flatten().flat_map(socket).collect();
    lines.extend(session.processes(history, at).map(process));
    // The screen keeps its place at the foot; what does not fit above it is counted.
    let room = rows.saturating_sub(screen.len());
    if lines.len() > room {
        let hidden = lines.len() - room.saturating_sub(1);
        lines.truncate(room.saturating_sub(1));
        lines.push(Line::styled(format!("… {hidden} more lines"), SOFT));
    }
    lines.resize(room, Line::default());
    lines.extend(screen.into_iter().map(screen_line));
    frame.render_widget(Paragraph::new(lines), inner);
}

fn socket(socket: &SocketInfo) -> Vec<Line<'static>> {
    let ends = match socket.remote {
        Some(remote) => format!("{} > {remote}", socket.local),
        None => socket.local.to_string(),
    };
    let state = Span::styled(format!("{:<11} ", socket.state.name()), state(socket.state));
    let mut lines = vec![Line::from(vec![state, Span::raw(ends)])];
    let timer = socket.timer.map(|timer| {
        let fired = if timer.fired > 0 { format!(" fired {}", timer.fired) } else { String::new() };
        format!("{} in {}{fired}", will(timer.kind), seconds(timer.left))
    });
    let queues = match socket.state {
        TcpState::Listen => [("waiting", socket.recv_q), ("backlog", socket.send_q)],
        _ => [("recv-q", socket.recv_q), ("send-q", socket.send_q)],
    };
    let queues = queues.into_iter().filter(|(_, octets)| *octets > 0).map(|(name, n)| format!("{name} {n}"));
    let sends = socket.remote.is_some() && socket.state != TcpState::TimeWait;
    let rto = sends.then(|| format!("rto {}", seconds(socket.rto)));
    let backoff = (socket.backoff > 0).then(|| format!("backoff {}", socket.backoff));
    let soft: Vec<String> = queues.chain(rto).chain(backoff).collect();
    if timer.is_some() || !soft.is_empty() {
        let mut spans = vec![Span::raw(" ")];
        spans.extend(timer.map(|timer| Span::styled(format!(" {timer}"), Style::new().fg(Color::Yellow))));
        spans.push(Span::styled(format!("  {}", soft.join("  ")), SOFT));
        lines.push(Line::from(spans));
    }
    lines
}

fn state(state: TcpState) -> Style {
    let colour = match state {
        TcpState::Established => Color::Green,
        TcpState::Listen => Color::Blue,
        TcpState::SynSent | TcpState::SynReceived => Color::Yellow,
        TcpState::Closed => Color::Red,
        _ => Color::Magenta,
    };
    Style::new().fg(colour).add_modifier(Modifier::BOLD)
}

/// What happens when the timer ends.
fn will(kind: TimerKind) -> &'static str {
    match kind {
        TimerKind::Retransmit => "retransmits",
        TimerKind::Persist => "probes the window",
        TimerKind::Keepalive => "sends a keepalive",
        TimerKind::TimeWait => "leaves TIME_WAIT",
        TimerKind::FinWait2 => "leaves FIN_WAIT_2",
        TimerKind::DelayedAck => "acknowledges",
    }
}

/// `12.345 s`: a timer's end is worth a millisecond.
fn seconds(span: Duration) -> String {
    format!("{:.3} s", span.as_secs_f64())
}

fn process(process: &ProcessInfo) -> Line<'static> {
    let name = Span::raw(format!("{}[{}] ", process.name, process.pid.as_raw()));
    let what = match (process.state, process.sleeping_on) {
        (ProcessState::Zombie, _) => Span::styled("zombie", BAD),
        (_, Some(wchan)) => {
            let call = process.within.unwrap_or(wchan.call());
            Span::styled(format!("{} {call} ({})", process.state.letter(), wchan.today()), SOFT)
        }
        (state, None) => Span::raw(state.letter().to_string()),
    };
    Line::from(vec![name, what])
}

fn screen_line((stream, text): (Stream, &str)) -> Line<'static> {
    let (prompt, style) = match stream {
        Stream::Stdin => ("> ", Style::new().fg(Color::Cyan)),
        Stream::Stdout => ("  ", Style::new()),
        Stream::Stderr => ("  ", Style::new().fg(Color::Red)),
    };
    Line::styled(format!("{prompt}{}", text.escape_debug()), style)
}
