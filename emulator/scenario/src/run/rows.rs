//! Compares a table with a scenario's expectation.

use serde_json::Value;

use super::{assign::assign, placed::PlacedProblem};
use crate::{
    expectation::{Table, WholeTable},
    outcome::Problem,
    places::YamlPath,
};
use rehearse_core::matcher::{Matcher, Mismatch, RenderError, Vars};

impl Table {
    /// The expectation with its templates filled in.
    pub(super) fn render(&self, vars: &Vars) -> Result<Self, RenderError> {
        let all = |rows: &[Matcher]| rows.iter().map(|row| row.render(vars)).collect();
        Ok(match self {
            Self::Unchanged => Self::Unchanged,
            Self::Changed(rows) => Self::Changed(all(rows)?),
            Self::Whole(whole) => Self::Whole(WholeTable {
                filter: whole.filter.as_ref().map(|f| f.render(vars)).transpose()?,
                count: whole.count,
                rows: whole.rows.as_deref().map(all).transpose()?,
            }),
        })
    }
}

/// A table at the start and now.
pub(super) struct TableComparison<'r> {
    pub(super) table: &'r str,
    /// Names of the key attributes.
    pub(super) key: &'r [String],
    pub(super) start: &'r [Value],
    pub(super) now: &'r [Value],
}

impl TableComparison<'_> {
    /// What is wrong with the table. Templates of the expectation must be filled in before.
    pub(super) fn check(&self, expected: &Table) -> Vec<PlacedProblem> {
        match expected {
            Table::Unchanged => self.unchanged(),
            Table::Changed(wanted) => {
                let changed = self.changed();
                let what = "new or changed";
                self.exactly(wanted, &changed, what, YamlPath::new())
            }
            Table::Whole(whole) => self.whole(whole),
        }
    }

    /// Rows that were not there at the start, or were different.
    fn changed(&self) -> Vec<&Value> {
        self.now.iter().filter(|row| self.at_start(row) != Some(row)).collect()
    }

    /// Rows of the start that are no longer there.
    fn deleted(&self) -> Vec<&Value> {
        let gone = |row: &&Value| !self.now.iter().any(|now| self.same_key(now, row));
        self.start.iter().filter(gone).collect()
    }

    fn unchanged(&self) -> Vec<PlacedProblem> {
        let mut lines: Vec<String> = Vec::new();
        for row in self.changed() {
            match self.at_start(row) {
                Some(before) => lines.push(format!("- {before}\n+ {row}")),
                None => lines.push(format!("+ {row}")),
            }
        }
        lines.extend(self.deleted().iter().map(|row| format!("- {row}")));
        if lines.is_empty() {
            return Vec::new();
        }
        let summary =
            format!("{} should be unchanged, but {} changed", self.table, count(lines.len()));
        let problem = Problem::new(summary).differs("unchanged", lines.join("\n"));
        vec![PlacedProblem { below: YamlPath::new(), problem }]
    }

    fn whole(&self, whole: &WholeTable) -> Vec<PlacedProblem> {
        let chosen: Vec<&Value> = match &whole.filter {
            Some(filter) => self.now.iter().filter(|row| filter.is_match(row)).collect(),
            None => self.now.iter().collect(),
        };
        let mut found = Vec::new();
        if let Some(wanted) = whole.count
            && !wanted.allows(chosen.len() as u64)
        {
            let filter = whole.filter.as_ref().map(|f| format!(" with {f}")).unwrap_or_default();
            let summary = format!(
                "{} should have {wanted} {}{filter}, but has {}",
                self.table,
                if wanted.to_string() == "1" { "row" } else { "rows" },
                chosen.len()
            );
            let shown = if chosen.is_empty() { self.now.iter().collect() } else { chosen.clone() };
            let problem = Problem::new(summary).differs(
                format!("{wanted}"),
                format!("{}\n{}", chosen.len(), listed(&shown)).trim_end().to_owned(),
            );
            found.push(PlacedProblem { below: YamlPath::new().to("count"), problem });
        }
        if let Some(wanted) = &whole.rows {
            found.extend(self.exactly(wanted, &chosen, "chosen", YamlPath::new().to("rows")));
        }
        found
    }

    /// Pairs matchers with rows; everything that stays alone is a problem.
    fn exactly(
        &self,
        wanted: &[Matcher],
        rows: &[&Value],
        what: &str,
        below: YamlPath,
    ) -> Vec<PlacedProblem> {
        let pairs = assign(wanted.len(), rows.len(), |want, row| wanted[want].is_match(rows[row]));
        let taken = |row: usize| pairs.contains(&Some(row));
        let mut spare: Vec<usize> = (0..rows.len()).filter(|row| !taken(*row)).collect();
        let mut found = Vec::new();
        for (at, matcher) in wanted.iter().enumerate().filter(|(at, _)| pairs[*at].is_none()) {
            let below = || below.to(at);
            // The row with the fewest differences is probably the one that was meant.
            let nearest = spare
                .iter()
                .map(|row| (*row, matcher.check(rows[*row])))
                .min_by_key(|(_, mismatches)| mismatches.len());
            let problem = match nearest {
                Some((row, mismatches)) => {
                    spare.retain(|other| *other != row);
                    let fields: Vec<&str> = mismatches.iter().map(top_key).collect();
                    let summary =
                        format!("a {what} row of {} differs in {}", self.table, fields.join(", "));
                    Problem {
                        mismatches,
                        ..Problem::new(summary).differs(matcher.to_string(), rows[row].to_string())
                    }
                }
                None => Problem::new(format!("{} lacks a {what} row", self.table))
                    .differs(matcher.to_string(), listed(rows)),
            };
            found.push(PlacedProblem { below: below(), problem });
        }
        for row in spare {
            let summary = format!("{} has a {what} row that is not expected", self.table);
            let problem = Problem::new(summary).differs("no such row", rows[row].to_string());
            found.push(PlacedProblem { below: below.clone(), problem });
        }
        found
    }

    fn at_start(&self, row: &Value) -> Option<&Value> {
        self.start.iter().find(|start| self.same_key(start, row))
    }

    fn same_key(&self, a: &Value, b: &Value) -> bool {
        self.key.iter().all(|name| a.get(name) == b.get(name))
    }
}

fn listed(rows: &[&Value]) -> String {
    if rows.is_empty() {
        return "no rows".into();
    }
    rows.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn count(rows: usize) -> String {
    if rows == 1 { "1 row".into() } else { format!("{rows} rows") }
}

fn top_key(mismatch: &Mismatch) -> &str {
    if mismatch.path.is_empty() { "everything" } else { &mismatch.path }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expected(yaml: &str) -> Table {
        serde_saphyr::from_str(yaml).unwrap()
    }

    fn check(yaml: &str, start: &Value, now: &Value) -> Vec<String> {
        let (start, now) = (start.as_array().unwrap(), now.as_array().unwrap());
        let rows = TableComparison { table: "Leads", key: &["id".into()], start, now };
        rows.check(&expected(yaml)).into_iter().map(|found| found.problem.summary).collect()
    }

    #[test]
    fn a_list_is_exactly_the_new_and_changed_rows_in_any_order() {
        let start = json!([{"id": 1, "a": "x"}, {"id": 2, "a": "y"}]);
        let now = json!([{"id": 1, "a": "x"}, {"id": 2, "a": "z"}, {"id": 3, "a": "x"}]);
        assert!(check("[{ id: 3 }, { a: z }]", &start, &now).is_empty());
        assert!(check("[{ a: { any: string } }, { id: 2 }]", &start, &now).is_empty());
        assert_eq!(
            check("[{ id: 3 }]", &start, &now),
            ["Leads has a new or changed row that is not expected"]
        );
        assert_eq!(
            check("[{ id: 3, a: q }, { id: 2 }]", &start, &now),
            ["a new or changed row of Leads differs in a"]
        );
        assert_eq!(
            check("[{ id: 3 }, { id: 2 }, { id: 4 }]", &start, &now),
            ["Leads lacks a new or changed row"]
        );
    }

    #[test]
    fn unchanged_sees_new_changed_and_deleted_rows() {
        let start = json!([{"id": 1, "a": "x"}]);
        assert!(check("unchanged", &start, &start).is_empty());
        for now in
            [json!([]), json!([{"id": 1, "a": "y"}]), json!([{"id": 1, "a": "x"}, {"id": 2}])]
        {
            assert_eq!(
                check("unchanged", &start, &now),
                ["Leads should be unchanged, but 1 row changed"]
            );
        }
    }

    #[test]
    fn the_whole_table_can_be_counted_and_listed() {
        let now = json!([{"id": 1, "a": "x"}, {"id": 2, "a": "y"}]);
        let none = json!([]);
        assert!(check("{ where: { a: x }, count: 1 }", &none, &now).is_empty());
        assert!(check("{ where: { a: q }, count: 0 }", &none, &now).is_empty());
        assert!(check("{ rows: [{ id: 2 }, { id: 1 }] }", &none, &now).is_empty());
        assert_eq!(
            check("{ where: { a: x }, count: 2 }", &none, &now),
            [r#"Leads should have 2 rows with {a: "x"}, but has 1"#]
        );
        assert_eq!(
            check("{ where: { a: x }, rows: [{ id: 2 }] }", &none, &now),
            ["a chosen row of Leads differs in id"]
        );
    }
}
