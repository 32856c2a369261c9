//! Tables without lines.

use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use super::Style;

/// An empty table. `width` is that of the terminal; without one, nothing is wrapped.
pub(super) fn empty(style: Style, width: Option<u16>, titles: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    if style.is_coloured() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    match width {
        Some(width) => table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(titles.iter().map(|title| Cell::new(title).add_attribute(Attribute::Bold)));
    table
}

/// Its lines. `firm` columns do not wrap, `right` ones are aligned to the right.
pub(super) fn lines(mut table: Table, firm: &[usize], right: &[usize]) -> String {
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if firm.contains(&position) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        if right.contains(&position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}
