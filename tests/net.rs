//! Real TCP on the hosts of a plain `turmoil::Sim`.

mod net {
    mod basics;
    mod boot;
    mod bursts;
    mod capture;
    mod crash;
    mod errors;
    mod halves;
    mod idle;
    #[cfg(target_os = "linux")]
    mod kernel;
    mod links;
    mod options;
    mod parity;
    mod rules;
    mod simulations;
    mod streams;
    mod support;
}
