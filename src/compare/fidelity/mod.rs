//! How true the simulation is: every scenario run on both stages, and the page that says what came of it.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `plan` | which settings make a scenario take seconds |
//! | `survey` | the real runs, a few at once |
//! | `page` | what came of them, for people |

mod page;
mod plan;
mod survey;

#[cfg(test)]
mod tests;

pub use page::page;
pub use plan::Plan;
pub use survey::{Entry, Finding, survey};
