//! The host's own package client, turned towards one architecture in a folder of ours.
//!
//! Contract: nothing of the host's package state is read for decisions or changed; mirrors, keys and proxies are the
//! host's configuration. The private settings are given with `-c`, which apt reads after the host's files, so that
//! `#clear` takes the hooks of container images away. Signatures are apt's business, and it may not wave them through.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use super::text::{self, Mirror, Stanza};
use super::{DebianError, Progress};

/// Lines of the client's own words that an error carries.
const LAST_LINES: usize = 6;

/// How the tools say that there is no room.
const DISK_FULL: &[&str] = &["No space left on device", "Disk quota exceeded", "have enough free space"];

/// apt's private configuration; `@` is the work folder, `%` the architecture.
const APT_CONF: &str = r#"#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::Translations;
#clear APT::Architectures;
APT::Architecture "%";
APT::Architectures { "%"; };
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
APT::Update::Error-Mode "any";
Dir::State "@";
Dir::State::lists "@/lists";
Dir::State::status "@/status";
Dir::State::extended_states "@/extended_states";
Dir::Cache "@";
Dir::Cache::archives "@/archives";
Dir::Cache::pkgcache "@/pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "@/main.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Log "@";
"#;

/// A client with a work folder of its own, removed when this is dropped.
pub struct Client {
    folder: PathBuf,
    programs: Option<PathBuf>,
    architecture: &'static str,
    /// Whether it is for source packages, which have the same lists for every architecture.
    sources: bool,
}

impl Client {
    /// The same client for source packages instead.
    pub fn for_sources(mut self) -> Client {
        self.sources = true;
        self
    }

    /// Makes `folder` anew and puts the private configuration there. `programs` is the folder of apt-get and its
    /// companions, if not to be found by `PATH`; `architecture` is Debian's name of one.
    pub fn new(folder: PathBuf, programs: Option<PathBuf>, architecture: &'static str) -> Result<Client, DebianError> {
        let name = folder.to_str().filter(|name| folder.is_absolute() && !name.contains(['"', '\\', '\n']));
        let Some(name) = name else { return Err(DebianError::Folder { folder }) };
        let configuration = APT_CONF.replace('%', architecture).replace('@', name);

        let client = Client { folder, programs, architecture, sources: false };
        client.remove()?;
        for part in ["lists/partial", "archives/partial", "empty/partial"] {
            fs::create_dir_all(client.file(part))
                .map_err(|e| DebianError::io("make the folder", client.file(part), e))?;
        }
        for (part, text) in [("status", ""), ("apt.conf", &configuration)] {
            fs::write(client.file(part), text).map_err(|e| DebianError::io("write", client.file(part), e))?;
        }
        for program in ["apt-get", "apt-cache", "apt-config", "dpkg-deb", "tar"] {
            client.output(client.command(program, &["--version"]))?;
        }
        Ok(client)
    }

    /// The architecture whose packages it sees, as Debian calls it: `source` for source packages.
    pub fn architecture(&self) -> &'static str {
        if self.sources { "source" } else { self.architecture }
    }

    /// A path in the work folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The Debian mirrors of the host's configuration, the likeliest first. Needs neither lists nor the network.
    pub fn mirrors(&self, suite: &str) -> Result<Vec<Mirror>, DebianError> {
        let lists = format!("Dir::State::lists={}", self.file("empty").display());
        let options = ["-o", &lists, "-o", "Debug::NoLocking=1", "--print-uris", "update"];
        Ok(text::mirrors(&self.output(self.command("apt-get", &options))?, suite))
    }

    /// What the host's configuration says of the keys for `mirror`; `None` leaves the choice to apt's trusted keys.
    pub fn signed_by(&self, mirror: &Mirror) -> Result<Option<String>, DebianError> {
        let names = ["shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"];
        let places = self.output(self.command("apt-config", &names))?;
        let mut files: Vec<PathBuf> = text::shell_variable(&places, "LIST").map(PathBuf::from).into_iter().collect();
        if let Some(entries) = text::shell_variable(&places, "PARTS").and_then(|parts| fs::read_dir(parts).ok()) {
            files.extend(entries.flatten().map(|entry| entry.path()));
        }
        files.sort();
        Ok(files.iter().find_map(|file| {
            let deb822 = match file.extension()?.to_str()? {
                "sources" => true,
                "list" => false,
                _ => return None,
            };
            text::signed_by(&fs::read_to_string(file).ok()?, deb822, mirror)
        }))
    }

    /// Fetches the lists of one suite of one mirror, and nothing else.
    pub fn update(
        &self,
        mirror: &Mirror,
        suite: &str,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), DebianError> {
        let types = if self.sources { "deb-src" } else { "deb" };
        let mut stanza = format!(
            "Types: {types}\nURIs: {}\nSuites: {suite}\nComponents: main\nArchitectures: {}\n",
            mirror.uri, self.architecture
        );
        if let Some(keys) = self.signed_by(mirror)? {
            stanza += &format!("Signed-By: {keys}\n");
        }
        let path = self.file("main.sources");
        fs::write(&path, stanza).map_err(|e| DebianError::io("write", path, e))?;
        self.fetch(self.private("apt-get", &["update"]), &mut |_| {
            progress(Progress { stage: "package lists", done: 0, total: None });
        })
    }

    /// The records of packages, the version apt would choose (of source packages all); empty if one is unknown.
    pub fn show(&self, packages: &[&str]) -> Vec<Stanza> {
        let show: &[&str] = if self.sources { &["showsrc", "--only-source"] } else { &["show", "--no-all-versions"] };
        let options: Vec<&str> = show.iter().chain(packages).copied().collect();
        self.output(self.private("apt-cache", &options)).map(|text| text::stanzas(&text)).unwrap_or_default()
    }

    /// Downloads packages into the work folder; `total` is the sum of their sizes.
    pub fn download(
        &self,
        packages: &[&str],
        total: u64,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), DebianError> {
        let options: Vec<&str> = ["download"].iter().chain(packages).copied().collect();
        let mut most = 0;
        self.fetch(self.private("apt-get", &options), &mut |millionths| {
            most = millionths.max(most);
            progress(Progress { stage: "packages", done: total * most / 1_000_000, total: Some(total) });
        })
    }

    /// Downloads `package` in the version of `suite`, and all that it needs on a host with nothing, into the work folder.
    pub fn download_closure(
        &self,
        package: &str,
        suite: &str,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), DebianError> {
        let options = ["install", "--download-only", "--yes", "--no-install-recommends", "-o", "Debug::NoLocking=1"];
        let mut command = self.private("apt-get", &options);
        command.args(["-t", suite, package]);
        self.fetch(command, &mut |_| progress(Progress { stage: "packages", done: 0, total: None }))
    }

    /// Unpacks every package that [`Client::download_closure`] brought into `folder`, one over the other.
    pub fn unpack_all(&self, folder: &Path) -> Result<(), DebianError> {
        self.archives()?.iter().try_for_each(|archive| self.unpack(archive, folder))
    }

    /// Unpacks the package in the file `archive` into `folder`.
    pub fn unpack(&self, archive: &Path, folder: &Path) -> Result<(), DebianError> {
        fs::create_dir_all(folder).map_err(|e| DebianError::io("make the folder", folder.to_owned(), e))?;
        let mut command = self.command("dpkg-deb", &["--extract"]);
        command.arg(archive).arg(folder);
        self.output(command).map(drop)
    }

    /// The version of `package` that [`Client::download_closure`] brought.
    pub fn downloaded_version(&self, package: &str) -> Result<String, DebianError> {
        let missing = DebianError::Package { package: package.to_owned(), lacks: "file" };
        let prefix = format!("{package}_");
        let named = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix));
        let archive = self.archives()?.into_iter().find(named).ok_or(missing)?;
        let mut command = self.command("dpkg-deb", &["--field"]);
        command.arg(archive).arg("Version");
        Ok(self.output(command)?.trim().to_owned())
    }

    fn archives(&self) -> Result<Vec<PathBuf>, DebianError> {
        let folder = self.file("archives");
        let entries = fs::read_dir(&folder).map_err(|e| DebianError::io("list", folder, e))?;
        let package = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "deb");
        Ok(entries.flatten().map(|entry| entry.path()).filter(package).collect())
    }

    /// Downloads the files of a source package into the work folder, unpacking nothing.
    pub fn download_source(&self, package: &str, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), DebianError> {
        self.fetch(self.private("apt-get", &["source", "--download-only", package]), &mut |_| {
            progress(Progress { stage: "source package", done: 0, total: None });
        })
    }

    /// Unpacks what matches `pattern` in the upstream archive of a source package, its first folder taken away.
    pub fn unpack_source(&self, package: &str, pattern: &str, folder: &Path) -> Result<(), DebianError> {
        let missing = DebianError::Package { package: package.to_owned(), lacks: "upstream archive" };
        let entries = fs::read_dir(&self.folder).map_err(|e| DebianError::io("list", self.folder.clone(), e))?;
        let upstream = |path: &PathBuf| {
            path.to_string_lossy().contains(".orig.tar.") && path.extension().is_some_and(|kind| kind != "asc")
        };
        let archive = entries.flatten().map(|entry| entry.path()).find(upstream).ok_or(missing)?;
        let mut command = self.command("tar", &["--strip-components=1", "--wildcards", "-x"]);
        command.arg("-f").arg(archive).arg("-C").arg(folder).arg(pattern);
        self.output(command).map(drop)
    }

    /// The downloaded file of `package`.
    pub fn archive(&self, package: &str) -> Result<PathBuf, DebianError> {
        let prefix = format!("{package}_");
        let entries = fs::read_dir(&self.folder).map_err(|e| DebianError::io("list", self.folder.clone(), e))?;
        let found = entries.flatten().find(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
        found.map(|entry| entry.path()).ok_or(DebianError::Package { package: package.to_owned(), lacks: "file" })
    }

    /// Hands the content of the file in a package whose name matches `pattern` to `sink`.
    pub fn extract<T>(
        &self,
        archive: &Path,
        pattern: &str,
        sink: impl FnOnce(&mut dyn io::Read) -> Result<T, DebianError>,
    ) -> Result<T, DebianError> {
        let mut command = self.command("dpkg-deb", &["--fsys-tarfile"]);
        let mut unpack = self.spawn(command.arg(archive).stdout(Stdio::piped()))?;
        let mut command = self.command("tar", &["-xO", "--wildcards", pattern]);
        command.stdin(unpack.child.stdout.take().map_or(Stdio::null(), Stdio::from)).stdout(Stdio::piped());
        let mut pick = self.spawn(&mut command)?;
        drop(command);
        let answer = match pick.child.stdout.take() {
            Some(mut content) => sink(&mut content)?,
            None => sink(&mut io::empty())?,
        };
        self.finish(unpack)?;
        self.finish(pick)?;
        Ok(answer)
    }

    /// A command in the work folder, in plain English, and with no input.
    fn command(&self, program: &str, options: &[&str]) -> Command {
        let path = self.programs.as_ref().map_or(PathBuf::from(program), |folder| folder.join(program));
        let mut command = Command::new(path);
        command.args(options).current_dir(&self.folder).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// A command with the private configuration.
    fn private(&self, program: &str, options: &[&str]) -> Command {
        let mut command = self.command(program, &["-c"]);
        command.arg(self.file("apt.conf")).args(options);
        command
    }

    /// Starts a command whose complaints are kept in memory: they may be that the disk is full.
    fn spawn(&self, command: &mut Command) -> Result<Running, DebianError> {
        let program = name(command);
        let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DebianError::NoClient { program: program.clone() },
            _ => DebianError::io("run", PathBuf::from(&program), error),
        })?;
        let complaints = child.stderr.take().map(|mut pipe| {
            thread::spawn(move || {
                let mut text = Vec::new();
                // What could be read before an error is all there is to tell.
                _ = pipe.read_to_end(&mut text);
                text
            })
        });
        Ok(Running { child, program, complaints })
    }

    /// Runs a short command and gives what it prints.
    fn output(&self, mut command: Command) -> Result<String, DebianError> {
        let mut running = self.spawn(command.stdout(Stdio::piped()))?;
        let mut text = Vec::new();
        if let Some(mut output) = running.child.stdout.take() {
            output.read_to_end(&mut text).map_err(|e| DebianError::io("read the output of", running.path(), e))?;
        }
        self.finish(running)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs a command of the client that uses the network; `report` gets parts per million done.
    fn fetch(&self, mut command: Command, report: &mut dyn FnMut(u64)) -> Result<(), DebianError> {
        command.args(["-qq", "-o", "APT::Status-Fd=1"]).stdout(Stdio::piped());
        let mut running = self.spawn(&mut command)?;
        report(0);
        if let Some(output) = running.child.stdout.take() {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.filter_map(|line| text::download_status(&line)).for_each(report);
        }
        self.finish(running)
    }

    /// Waits for the end of a command; an error carries its last words.
    fn finish(&self, mut running: Running) -> Result<(), DebianError> {
        let status = running.child.wait().map_err(|e| DebianError::io("wait for", running.path(), e))?;
        if status.success() {
            return Ok(());
        }
        let log = running.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        if DISK_FULL.iter().any(|words| log.contains(words)) {
            return Err(DebianError::DiskFull { folder: self.folder.clone() });
        }
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let (_, last) = lines.split_at(lines.len().saturating_sub(LAST_LINES));
        Err(DebianError::Client { program: running.program.clone(), log: last.join("\n") })
    }

    fn remove(&self) -> Result<(), DebianError> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DebianError::io("remove", self.folder.clone(), error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        _ = self.remove();
    }
}

/// A started command, ended when this is dropped early.
struct Running {
    child: Child,
    program: String,
    complaints: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    fn path(&self) -> PathBuf {
        PathBuf::from(&self.program)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has ended and been waited for.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn name(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
