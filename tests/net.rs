//! Real TCP on the hosts of a plain `turmoil::Sim`.

mod net {
    mod basics;
    mod bursts;
    mod capture;
    mod crash;
    mod errors;
    mod halves;
    mod idle;
    mod links;
    mod options;
    mod parity;
    mod simulations;
    mod streams;
    mod support;
}
