//! Real TCP on the hosts of a plain `turmoil::Sim`.

mod net {
    mod basics;
}
