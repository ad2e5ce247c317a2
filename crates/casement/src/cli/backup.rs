//! The command lines of `casement backup` and `casement restore`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use crate::cli::DataDirectory;
use crate::cli::attachments::AttachmentPlace;

/// The arguments of `backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
The first run copies the database (a base); further runs add what was written since (increments). A base is also taken
when the store can't continue the backup, after a restore for example, or when files of it are damaged: then the exit
code is 1 until bases that need these are gone.

Examples:
  casement backup --to /mnt/backup/casement
  casement backup --data-dir /var/lib/casement --to /mnt/backup/casement --base --keep-bases 7
  casement backup --to /media/usb/casement --forget")]
pub struct BackupArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The directory of the backup; made when it is absent.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Take a base in any case, also where a backup that was there is gone.
    #[arg(long)]
    pub base: bool,
    /// Keep the newest bases and what belongs to them, remove what is older; all are kept when absent.
    #[arg(long, value_name = "COUNT")]
    pub keep_bases: Option<NonZeroUsize>,
    /// Continue this backup no more: the store keeps nothing for it, the doctor does not speak of it. What lies there stays.
    #[arg(long, conflicts_with_all = ["base", "keep_bases"])]
    pub forget: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every file that is needed is checked before anything is written. A change is restored whole or not at all: --at gives
the state before the first change after the time, or before the first one that takes the stream past the sequence number.
The exit code is 1, too, when bytes of attachments are missing or damaged.

Examples:
  casement restore --from /mnt/backup/casement --list
  casement restore --from /mnt/backup/casement --data-dir /var/lib/casement-new
  casement restore --from /mnt/backup/casement --data-dir new --at 2026-11-22T09:30:00Z
  casement restore --from /mnt/backup/casement --data-dir new --at 4711 --stream st-support")]
pub struct RestoreArguments {
    /// The directory of the backup.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// The data directory to make; it must be empty or absent.
    #[arg(long = "data-dir", value_name = "DIR", required_unless_present_any = ["list", "verify"])]
    pub data: Option<PathBuf>,
    /// Restore nothing: tell which bases there are, what can be restored, and whether a file is missing or cut.
    #[arg(long, conflicts_with_all = ["data", "at", "stream", "key_file"])]
    pub list: bool,
    /// The same, and read every file of the database's backup to its end, against its hash.
    #[arg(long, conflicts_with_all = ["data", "at", "stream", "key_file"])]
    pub verify: bool,
    /// Up to where: a date and time (UTC where no zone is given), or with --stream a sequence number. Everything when
    /// absent.
    #[arg(long, value_name = "TIME|SEQUENCE")]
    pub at: Option<String>,
    /// The stream whose log --at counts.
    #[arg(long, value_name = "ID", requires = "at")]
    pub stream: Option<String>,
    /// The key file that the restored directory will be served with: it is checked that it opens the secrets.
    #[arg(long, env = "CASEMENT_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    #[command(flatten)]
    pub bytes: AttachmentPlace,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
