//! The program's debug log, in builds with the feature `log`: a line for each packet, for
//! developers. What is shipped has none.

use aya::Ebpf;
use aya_log::EbpfLogger;
use std::time::Duration;
use tokio::time::interval;

/// How often what was logged is printed.
const FLUSH: Duration = Duration::from_millis(100);

/// Prints what the program logs, as long as the runtime lives.
///
/// *Errors*: the object was built without its log.
pub(super) fn forward(ebpf: &mut Ebpf) -> Result<(), aya_log::Error> {
    let mut logger = EbpfLogger::init(ebpf)?;
    tokio::spawn(async move {
        let mut tick = interval(FLUSH);
        loop {
            tick.tick().await;
            logger.flush();
        }
    });
    Ok(())
}
