//! Circles: files of which each reaches every other through imports.

use std::collections::VecDeque;

use super::imports::Import;

/// Files of which each imports every other, directly or through others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Circle {
    pub(super) files: Vec<usize>,
    /// The shortest way from the first file back to it.
    pub(super) way: Vec<Import>,
}

/// Returns the circles among `count` files, the largest first.
pub(super) fn circles(imports: &[Import], count: usize) -> Vec<Circle> {
    // Every file's reach is a search of its own: there are hundreds of files, not millions.
    let reach: Vec<Vec<bool>> = (0..count)
        .map(|file| reached(imports, count, file))
        .collect();
    let mut seen = vec![false; count];
    let mut found = Vec::new();
    for file in 0..count {
        let mutual = |other: &usize| reach[file][*other] && reach[*other][file];
        let files: Vec<usize> = (0..count).filter(mutual).collect();
        if files.len() > 1 && !seen[file] {
            for file in &files {
                seen[*file] = true;
            }
            let way = way_back(imports, &files);
            found.push(Circle { files, way });
        }
    }
    found.sort_by_key(|circle| std::cmp::Reverse(circle.files.len()));
    found
}

fn reached(imports: &[Import], count: usize, from: usize) -> Vec<bool> {
    let mut reached = vec![false; count];
    let mut queue = VecDeque::from([from]);
    while let Some(file) = queue.pop_front() {
        for import in imports.iter().filter(|import| import.from == file) {
            if !reached[import.to] {
                reached[import.to] = true;
                queue.push_back(import.to);
            }
        }
    }
    reached
}

fn way_back(imports: &[Import], files: &[usize]) -> Vec<Import> {
    let Some(start) = files.first() else {
        return Vec::new();
    };
    let mut ways: VecDeque<Vec<Import>> = VecDeque::from([Vec::new()]);
    let mut visited = Vec::new();
    while let Some(way) = ways.pop_front() {
        let at = way.last().map_or(*start, |import| import.to);
        if at == *start && !way.is_empty() {
            return way;
        }
        for import in imports.iter().filter(|import| import.from == at) {
            if !visited.contains(&import.to) {
                visited.push(import.to);
                ways.push_back([way.as_slice(), &[*import]].concat());
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(pairs: &[(usize, usize)]) -> Vec<Import> {
        pairs
            .iter()
            .map(|(from, to)| Import {
                from: *from,
                to: *to,
                line: 1,
            })
            .collect()
    }

    #[test]
    fn a_circle_of_three_is_found() {
        let found = circles(&imports(&[(0, 1), (1, 2), (2, 0), (2, 3)]), 4);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].files, [0, 1, 2]);
        let way: Vec<usize> = found[0].way.iter().map(|import| import.to).collect();
        assert_eq!(way, [1, 2, 0]);
    }

    #[test]
    fn a_chain_is_no_circle() {
        assert_eq!(circles(&imports(&[(0, 1), (1, 2), (0, 2)]), 3), []);
    }

    #[test]
    fn the_largest_comes_first() {
        let found = circles(&imports(&[(0, 1), (1, 0), (2, 3), (3, 4), (4, 2)]), 5);
        let sizes: Vec<usize> = found.iter().map(|circle| circle.files.len()).collect();
        assert_eq!(sizes, [3, 2]);
    }
}
