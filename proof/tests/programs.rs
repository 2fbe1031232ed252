//! Each program survives loss intact, hangs on a peer that dies silently, and does not where it takes care.

use proof::Moment::{BeforeTheAnswer, BeforeTheRequest};
use proof::Precaution::{Keepalive, Nothing, UserTimeout};
use proof::{notices, survives_loss};

macro_rules! programs {
    ($($name:ident: $program:ty;)*) => { $(
        mod $name {
            use super::*;

            #[test]
            fn survives_five_percent_loss_intact() {
                survives_loss::<$program>();
            }

            #[test]
            fn hangs_a_quarter_of_an_hour_on_a_request_to_the_dead_without_a_user_timeout() {
                // Linux 6.18, measured: 946.6 s; ticks of 50 ms make the round trip and the first timeout longer.
                let quarter_of_an_hour = 925..1_010;
                // Keepalive probes only a connection on which nothing waits for its acknowledgment.
                for precaution in [Nothing, Keepalive] {
                    let after = notices::<$program>(BeforeTheRequest, precaution);
                    assert!(after.is_some_and(|after| quarter_of_an_hour.contains(&after)), "{after:?}");
                }
                assert_eq!(notices::<$program>(BeforeTheRequest, UserTimeout), Some(10));
            }

            #[test]
            fn hangs_for_ever_on_an_answer_of_the_dead_without_keepalive() {
                assert_eq!(notices::<$program>(BeforeTheAnswer, Nothing), None);
                // Nothing of ours is unacknowledged: no timeout of TCP's own runs.
                assert_eq!(notices::<$program>(BeforeTheAnswer, UserTimeout), None);
                // 10 + 3 × 5 s after the last segment, 5 s of which the server lived.
                assert_eq!(notices::<$program>(BeforeTheAnswer, Keepalive), Some(20));
            }
        }
    )* };
}

programs! {
    hyper_http1: proof::http1::Http1;
    hyper_http2: proof::http2::Http2<false>;
    axum: proof::rest::Rest;
    tonic: proof::grpc::Rpc<false>;
    redis: proof::redis::Redis;
    rustls: proof::tls::Tls;
}

#[test]
fn pings_of_http2_notice_either_way() {
    // A ping 10 s after the last frame, 5 s for its answer; what the server lived is not counted.
    for moment in [BeforeTheRequest, BeforeTheAnswer] {
        for noticed in [
            notices::<proof::http2::Http2<true>>(moment, Nothing),
            notices::<proof::grpc::Rpc<true>>(moment, Nothing),
        ] {
            assert!(noticed.is_some_and(|after| (5..=15).contains(&after)), "{moment:?}: {noticed:?}");
        }
    }
}
