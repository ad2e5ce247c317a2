//! `cargo xtask bench plot`: draws what `bench list` printed, cost against size, both on scales of powers of ten.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, ensure};
use plotters::prelude::*;
use serde::Deserialize;

/// Width and height of the picture.
const SIZE: (u32, u32) = (960, 560);
/// The shapes that have a colour and a name in the picture; all others are thin and grey.
const NAMED: [(&str, RGBColor); 7] = [
    ("all", RGBColor(0, 92, 175)),
    ("count", RGBColor(0, 150, 136)),
    ("status + priority by due", RGBColor(194, 98, 0)),
    ("a year by due", RGBColor(128, 80, 170)),
    ("search two words", RGBColor(190, 30, 70)),
    ("page of 500", RGBColor(90, 120, 20)),
    ("name contains", RGBColor(60, 60, 60)),
];
const OTHERS: RGBColor = RGBColor(195, 195, 195);

/// What is drawn, and where to.
#[derive(clap::Args)]
pub struct Arguments {
    /// The JSON lines that `bench list` printed, of two sizes or more
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The SVG file to write
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// One line of `bench list`, as far as it is drawn.
#[derive(Debug, Deserialize)]
struct Line {
    shape: String,
    cases: f64,
    inside_p50_ms: f64,
}

/// Draws the picture.
///
/// # Errors
/// The lines can't be read, are none of `bench list` or of one size only, or the picture can't be written.
pub fn run(arguments: &Arguments) -> Result<()> {
    let text = fs::read_to_string(&arguments.from)
        .with_context(|| format!("can't read {}", arguments.from.display()))?;
    let picture = draw(&series(&text)?)?;
    fs::write(&arguments.to, picture).with_context(|| format!("can't write {}", arguments.to.display()))
}

/// The points of each shape, by size.
fn series(text: &str) -> Result<BTreeMap<String, Vec<(f64, f64)>>> {
    let mut all: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Line =
            serde_json::from_str(line).with_context(|| format!("no line of `bench list`: {line}"))?;
        ensure!(line.cases > 0.0 && line.inside_p50_ms > 0.0, "{}: no figure inside the server", line.shape);
        all.entry(line.shape).or_default().push((line.cases, line.inside_p50_ms));
    }
    for points in all.values_mut() {
        points.sort_by(|left, right| left.0.total_cmp(&right.0));
    }
    ensure!(all.values().any(|points| points.len() > 1), "a plot needs two sizes: --cases 10000,1000000");
    Ok(all)
}

fn draw(all: &BTreeMap<String, Vec<(f64, f64)>>) -> Result<String> {
    let points = || all.values().flatten();
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let sizes = least(&mut points().map(|point| point.0))..most(&mut points().map(|point| point.0));
    let times =
        least(&mut points().map(|point| point.1)) * 0.7..most(&mut points().map(|point| point.1)) * 1.5;
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
        let failed = |error: DrawingAreaErrorKind<_>| anyhow!("the picture can't be drawn: {error}");
        area.fill(&WHITE).map_err(failed)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(16)
            .margin_right(44)
            .caption("Lists: median inside the server against the number of cases", ("sans-serif", 18))
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(sizes.log_scale(), times.log_scale())
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc("cases")
            .y_desc("milliseconds")
            .x_label_formatter(&|cases| format!("{cases:.0}"))
            .y_label_formatter(&|time| format!("{time}"))
            .draw()
            .map_err(failed)?;
        let colour_of =
            |shape: &str| NAMED.iter().find(|(named, _)| *named == shape).map(|(_, colour)| *colour);
        // What has a name is drawn last, so that nothing lies over it.
        for (shape, points) in all.iter().filter(|(shape, _)| colour_of(shape).is_none()) {
            let line = LineSeries::new(points.iter().copied(), OTHERS.stroke_width(1));
            let drawn = chart.draw_series(line).map_err(failed)?;
            if shape == all.keys().find(|shape| colour_of(shape).is_none()).unwrap_or(shape) {
                drawn
                    .label("all other shapes")
                    .legend(|(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], OTHERS.stroke_width(1)));
            }
        }
        for (shape, colour) in NAMED {
            let Some(points) = all.get(shape) else { continue };
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3);
            let drawn = chart.draw_series(line).map_err(failed)?;
            drawn
                .label(shape)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(OTHERS)
            .draw()
            .map_err(failed)?;
        area.present().map_err(failed)?;
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(shape: &str, cases: u64, ms: f64) -> String {
        serde_json::json!({"bench": "list", "shape": shape, "cases": cases, "inside_p50_ms": ms}).to_string()
    }

    #[test]
    fn every_named_shape_has_its_line_and_name() {
        let lines =
            [line("all", 10_000, 0.03), line("all", 1_000_000, 0.04), line("x", 10_000, 0.1)].join("\n");
        let picture = draw(&series(&lines).unwrap()).unwrap();
        assert!(picture.contains("polyline") && picture.contains(">\nall\n<"), "{picture}");
        assert!(picture.contains("all other shapes") && !picture.contains("count"), "{picture}");
    }

    #[test]
    fn one_size_makes_no_plot() {
        assert!(series(&line("all", 10_000, 0.03)).unwrap_err().to_string().contains("two sizes"));
        assert!(series("{}").is_err());
    }
}
