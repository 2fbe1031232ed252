//! Colours and type. Programs that turn such pictures into others know classes, but few know CSS variables.

use std::fmt::Write;

/// Every class with its colour by day and by night: of what is written, and of what is drawn.
const COLOURS: &[(&str, &str, &str, &str)] = &[
    // class, property, day, night
    ("paper", "fill", "#ffffff", "#0d1117"),
    ("title", "fill", "#1f2328", "#f0f6fc"),
    ("quiet", "fill", "#59636e", "#9198a1"),
    ("note", "fill", "#424a53", "#c0c7cf"),
    ("state", "fill", "#0a5cc0", "#79b8ff"),
    ("said", "fill", "#116329", "#7ee787"),
    ("bad", "fill", "#c11a26", "#ff7b72"),
    ("label", "fill", "#1f2328", "#e6edf3"),
    ("again-label", "fill", "#8a4600", "#ffb45c"),
    ("icmp-label", "fill", "#8a4600", "#ffb45c"),
    ("fault-label", "fill", "#ffffff", "#0d1117"),
    ("fault-pill", "fill", "#7a3fc4", "#c297ff"),
    ("host", "fill", "#eef2f6", "#1c2430"),
    ("host", "stroke", "#afb8c1", "#3d4754"),
    ("frame", "fill", "#f4f6f9", "#141b24"),
    ("frame", "stroke", "#c8d0d9", "#30394a"),
    ("pill", "fill", "#ffffff", "#0d1117"),
    ("pill", "stroke", "#d1d9e0", "#30394a"),
    ("life", "stroke", "#818b98", "#6a7585"),
    ("fold", "stroke", "#b6bfc9", "#4a5565"),
    ("plain", "stroke", "#1f2328", "#e6edf3"),
    ("ack", "stroke", "#818b98", "#7d8794"),
    ("again", "stroke", "#b35c00", "#ffb45c"),
    ("icmp", "stroke", "#b35c00", "#ffb45c"),
    ("reset", "stroke", "#c11a26", "#ff7b72"),
    ("lost", "stroke", "#c11a26", "#ff7b72"),
    ("fault", "stroke", "#7a3fc4", "#c297ff"),
    ("plain-head", "fill", "#1f2328", "#e6edf3"),
    ("ack-head", "fill", "#818b98", "#7d8794"),
    ("again-head", "fill", "#b35c00", "#ffb45c"),
    ("icmp-head", "fill", "#b35c00", "#ffb45c"),
    ("reset-head", "fill", "#c11a26", "#ff7b72"),
    ("halo", "stroke", "#ffffff", "#0d1117"),
];

const SHAPES: &str = "\
text{font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:12px}\
.mono,.label,.again-label,.icmp-label{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:11px}\
.title{font-size:16px;font-weight:600}\
.name{font-weight:600;font-size:13px}\
.strong{font-weight:600}\
.halo{paint-order:stroke;stroke-width:4;stroke-linejoin:round}\
.life{stroke-width:1.5}\
.fold{stroke-width:1.5;stroke-dasharray:1.5 5;stroke-linecap:round}\
.plain,.ack,.again,.icmp,.reset,.lost{fill:none;stroke-width:1.4}\
.dashed{stroke-dasharray:5 3}\
.cross{stroke-width:2.2;stroke-linecap:round}\
.fault{fill:none;stroke-width:1.2;stroke-dasharray:6 4}\
.death{fill:none;stroke-width:2.6;stroke-linecap:round;stroke-dasharray:none}\
.frame,.host,.pill{stroke-width:1}";

/// The picture's style sheet.
pub(super) fn sheet() -> String {
    let mut sheet = SHAPES.to_owned();
    let mut night = String::new();
    for (class, property, day, dark) in COLOURS {
        // Writing to a string cannot fail.
        let _ = write!(sheet, ".{class}{{{property}:{day}}}");
        let _ = write!(night, ".{class}{{{property}:{dark}}}");
    }
    format!("{sheet}@media (prefers-color-scheme:dark){{{night}}}")
}
