//! What it means.

use super::args::{Args, Trace};
use super::pictures::Pictures;
use super::refusal::Refusal;
use crate::scenario::Scenario;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Request {
    List,
    Run(Box<Run>),
}

/// A scenario to run, changed as was asked, and how to show it.
#[derive(Debug)]
pub(super) struct Run {
    /// The scenario's name or file, as typed.
    pub(super) name: String,
    pub(super) scenario: Scenario,
    /// `None` shows a summary.
    pub(super) trace: Option<Trace>,
    pub(super) pictures: Pictures,
    /// On this machine's own TCP.
    pub(super) real: bool,
    /// What the scenario expects and cannot be seen there.
    pub(super) unseen: Vec<String>,
    /// Whether `--until` was given, so that the run may end before what is expected.
    pub(super) shortened: bool,
}

impl Request {
    pub(super) fn new(args: Args) -> Result<Request, Refusal> {
        let Some(name) = args.scenario.filter(|_| !args.list) else {
            return Ok(Request::List);
        };
        let ladder = args.pictures.ladder;
        for (view, name) in
            [(args.netstat.is_some(), "--netstat"), (args.ps.is_some(), "--ps"), (ladder, "--ladder")]
        {
            if view && args.trace == Some(Trace::Json) {
                return Err(Refusal::TextInJson(name));
            }
        }
        if args.real {
            args.changes.refuse_others_tcp("--real")?;
        }
        let shortened = args.changes.until.is_some();
        let mut scenario = args.changes.load(&name)?;
        if let Some(host) = &args.pictures.pcapng_host
            && !scenario.hosts.iter().any(|known| known.name == *host)
        {
            return Err(Refusal::NoHost(host.clone()));
        }
        let unseen = if args.real { for_real(&mut scenario, &args.pictures)? } else { Vec::new() };
        scenario.netstat = args.netstat;
        scenario.ps = args.ps;
        let (trace, pictures, real) = (args.trace, args.pictures, args.real);
        Ok(Request::Run(Box::new(Run { name, scenario, trace, pictures, shortened, real, unseen })))
    }
}

/// Makes the scenario one of this machine's; what it expects and cannot be seen here.
#[cfg(unix)]
fn for_real(scenario: &mut Scenario, pictures: &Pictures) -> Result<Vec<String>, Refusal> {
    use crate::stage::{RealStage, expect_what_is_seen, on_linux};
    let stage = RealStage::of(scenario);
    if let Some(picture) = pictures.of_history() {
        return Err(Refusal::NoHistory(picture));
    }
    if let Some(picture) = pictures.of_packets().filter(|_| stage == RealStage::Loopback) {
        return Err(Refusal::NoWire(picture));
    }
    *scenario = on_linux(scenario);
    Ok(expect_what_is_seen(scenario, stage))
}

#[cfg(not(unix))]
fn for_real(_: &mut Scenario, _: &Pictures) -> Result<Vec<String>, Refusal> {
    Err(Refusal::NoFork)
}
