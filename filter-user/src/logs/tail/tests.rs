//! Files that servers and logrotate do things to.

use super::*;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

struct Followed {
    dir: TempDir,
    tail: Tail,
    now_unix_ms: u64,
}

impl Followed {
    fn new(before: Option<&str>) -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("log");
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        let mut followed = Self { dir, tail: Tail::new(path), now_unix_ms: 1000 };
        assert!(followed.told().is_empty(), "what was there before isn't told");
        followed
    }

    fn path(&self) -> &Path {
        &self.tail.path
    }

    fn append(&self, text: &str) -> File {
        let mut file = File::options().append(true).create(true).open(self.path()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn rename(&self) {
        fs::rename(self.path(), self.dir.path().join("log.1")).unwrap();
    }

    /// All that is told until nothing more is there.
    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        let mut tell = |line: Result<&[u8], LineError>| {
            told.push(
                line.map_or("cut off".into(), |line| String::from_utf8(line.into()).unwrap()),
            );
        };
        while self.tail.poll(&mut [0; 7], self.now_unix_ms, &mut tell).unwrap() {}
        told
    }
}

#[test]
fn a_file_that_is_there_is_read_from_its_end() {
    let mut followed = Followed::new(Some("old\nhalf of an old"));
    followed.append(" one\nnew");
    assert!(followed.told().is_empty(), "the last one has no end yet");
    followed.append(" line\nand another\n");
    assert_eq!(followed.told(), ["new line", "and another"]);
}

#[test]
fn a_file_that_comes_later_is_read_from_its_begin() {
    let mut followed = Followed::new(None);
    assert_eq!(followed.tail.state(), State::Waiting);
    followed.append("first\n");
    assert_eq!(followed.told(), ["first"]);
    assert_eq!(followed.tail.state(), State::Reading);
}

#[test]
fn a_server_writes_to_the_renamed_file_until_it_is_told() {
    let mut followed = Followed::new(Some(""));
    let mut server = followed.append("1\n");
    followed.rename();
    server.write_all(b"2\n").unwrap();
    assert_eq!(followed.told(), ["1", "2"], "there is no new file yet");
    followed.append("4\n");
    server.write_all(b"3\n").unwrap();
    assert_eq!(followed.told(), ["3", "4"]);
    followed.now_unix_ms += LINGER_MS - 1;
    server.write_all(b"5\nhalf").unwrap();
    assert_eq!(followed.told(), ["5"]);
    followed.now_unix_ms += LINGER_MS;
    assert_eq!(followed.told(), ["cut off"]);
    server.write_all(b"too late\n").unwrap();
    followed.append("6\n");
    assert_eq!(followed.told(), ["6"]);
}

#[test]
fn a_second_rotation_ends_the_first() {
    let mut followed = Followed::new(Some(""));
    for round in ["1", "2", "3"] {
        followed.append(&format!("{round}\n"));
        assert_eq!(followed.told(), [round]);
        followed.rename();
    }
}

#[test]
fn a_truncated_file_is_read_from_its_begin() {
    let mut followed = Followed::new(Some("old\n"));
    followed.append("1\nhalf");
    assert_eq!(followed.told(), ["1"]);
    File::options().write(true).open(followed.path()).unwrap().set_len(0).unwrap();
    assert_eq!(followed.told(), ["cut off"]);
    followed.append("2\n");
    assert_eq!(followed.told(), ["2"]);
}

#[test]
fn a_file_that_was_truncated_and_has_outgrown_itself_is_read_from_its_begin() {
    for before in ["", "old 1\nold 2\n", "half"] {
        let mut followed = Followed::new(Some(before));
        followed.append("\n1 at 20:50\n2 at 20:50\n");
        assert_eq!(followed.told(), ["1 at 20:50", "2 at 20:50"], "{before:?}");
        File::options().write(true).open(followed.path()).unwrap().set_len(0).unwrap();
        let grown: Vec<_> = (0..9).map(|line| format!("{line} at 20:51")).collect();
        followed.append(&(grown.join("\n") + "\n"));
        assert_eq!(followed.told(), grown, "{before:?}");
    }
}

#[test]
fn what_is_appended_comes_once_however_much_it_is() {
    let mut followed = Followed::new(Some("old\n"));
    let mut number = 0;
    for lines in [1, 0, 2, 400, 1, 3] {
        let text: Vec<_> = (number..number + lines).map(|line| format!("line {line}")).collect();
        number += lines;
        for line in &text {
            followed.append(&format!("{line}\n"));
        }
        assert_eq!(followed.told(), text);
    }
}

#[test]
fn what_is_no_file_is_an_error_that_heals() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("log");
    fs::create_dir(&path).unwrap();
    let mut tail = Tail::new(path.clone());
    let poll = |tail: &mut Tail| tail.poll(&mut [0; 7], 0, &mut |_| ());
    assert!(poll(&mut tail).unwrap_err().to_string().contains("regular"));
    fs::remove_dir(&path).unwrap();
    assert!(!poll(&mut tail).unwrap());
    fs::write(&path, "1\n").unwrap();
    assert!(poll(&mut tail).unwrap());
}
