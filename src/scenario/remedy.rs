//! The same scenario with more careful clients: what the book and the RFCs tell programs to ask for.

use super::Scenario;

/// Options of the client, each of which makes a run of its own.
const REMEDIES: [&[&str]; 5] = [
    // UNP 6.4: wait for the user and the socket at once.
    &["--poll"],
    // UNP 7.5: ask the peer's host now and then whether it is still there.
    &["--keepalive=2s,1s,3"],
    &["--keepalive=2s,1s,3", "--poll"],
    // RFC 5482: how long data may go unacknowledged.
    &["--user-timeout=5s"],
    &["--user-timeout=5s", "--poll"],
];

/// The program that the options are for.
const CLIENT: &str = "echo-client";

/// The scenario as it is, then once for each remedy, with the options that every client has been given on top of its
/// own. Where a client has one of them already, that remedy is left out; without clients there are none at all.
pub fn remedies(scenario: &Scenario) -> Vec<(String, Scenario)> {
    let words = |scenario: &Scenario| -> Vec<Vec<String>> {
        let programs = scenario.hosts.iter().filter_map(|host| host.program.as_ref());
        let clients = programs.filter(|program| program.words.first().is_some_and(|name| name == CLIENT));
        clients.map(|program| program.words.clone()).collect()
    };
    let clients = words(scenario);
    if clients.is_empty() {
        return Vec::new();
    }
    let name = |option: &str| option.split('=').next().unwrap_or(option).to_owned();
    let given = |option: &&&str| clients.iter().flatten().any(|word| name(word) == name(option));
    let mut runs = vec![(String::new(), scenario.clone())];
    for options in REMEDIES.iter().filter(|options| !options.iter().any(|option| given(&option))) {
        let mut careful = scenario.clone();
        for program in careful.hosts.iter_mut().filter_map(|host| host.program.as_mut()) {
            if program.words.first().is_some_and(|name| name == CLIENT) {
                program.words.extend(options.iter().map(|option| (*option).to_owned()));
            }
        }
        runs.push((options.join(" "), careful));
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn every_remedy_is_a_run_of_its_own_after_the_scenario_itself() {
        let crash = scenario::load("crash").expect("a scenario of the library");
        let runs = remedies(&crash);
        assert_eq!(runs[0], (String::new(), crash));
        let whats: Vec<&str> = runs[1..].iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!(whats, REMEDIES.map(|options| options.join(" ")));
        for (what, run) in &runs {
            let client = run.hosts.iter().find(|host| host.name == "client").expect("a client");
            let words = &client.program.as_ref().expect("a program").words;
            assert_eq!(words[..2], ["echo-client", "server"]);
            assert_eq!(words[2..].join(" "), *what);
            run.run().expect("the client understands its options");
        }
    }

    #[test]
    fn what_the_client_has_already_is_no_remedy() {
        let text = "name = \"polls\"\n[host.server]\nrun = \"echo-server\"\n\
                    [host.client]\nrun = \"echo-client server --poll\"\n";
        let polls = Scenario::parse("polls.toml", text).expect("a scenario");
        let whats: Vec<String> = remedies(&polls).into_iter().map(|(what, _)| what).collect();
        assert_eq!(whats, ["", "--keepalive=2s,1s,3", "--user-timeout=5s"]);
    }

    #[test]
    fn without_a_client_there_is_no_remedy() {
        let text = "name = \"alone\"\n[host.server]\nrun = \"echo-server\"\n";
        assert!(remedies(&Scenario::parse("alone.toml", text).expect("a scenario")).is_empty());
    }
}
