//! Settings of attachments: where their bytes are, and how many there may be.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use casement_app::attachment::Attachments;
use casement_app::limits;
use casement_store::blobs::Blobs;
use clap::Args;
use rustix::fs::Mode;
use rustix::process::umask;

use crate::settings::given::without_user;

/// The folder of the bytes within a data directory.
pub const FOLDER_NAME: &str = "attachments";
/// What begins the address of a bucket.
const BUCKET: &str = "s3://";
/// What begins the names of the variables that a bucket is set up by.
const BUCKET_VARIABLES: &str = "AWS_";
/// Why nothing can be added to a node on a database server that names no place.
const OFF: &str = "attachments are off: this server keeps its data on a database server and was not told where their bytes go \
    (the setting `attachments`: a directory that all nodes share, or s3://BUCKET/PREFIX)";

/// Where the bytes are.
#[derive(Debug, Args)]
pub struct AttachmentPlace {
    /// Where the bytes of attachments are: a directory, or s3://BUCKET/PREFIX with the usual AWS_ variables. Without it
    /// `attachments` in the data directory; on a database server nowhere, since all nodes must share the place.
    #[arg(long, env = "CASEMENT_ATTACHMENTS", value_name = "DIR|URL")]
    pub attachments: Option<String>,
}

/// How many there may be.
#[derive(Debug, Args)]
pub struct AttachmentLimits {
    /// The most bytes of one attachment; past it 413.
    #[arg(long, env = "CASEMENT_ATTACHMENT_BYTES_MAX", value_name = "BYTES", default_value_t = limits::ATTACHMENT_BYTES_MAX, value_parser = clap::value_parser!(u64).range(1..=limits::ATTACHMENT_BYTES_MAX_MAX))]
    pub attachment_bytes_max: u64,
    /// The most bytes of all attachments of a workspace that are not deleted; past it 413.
    #[arg(long, env = "CASEMENT_ATTACHMENTS_QUOTA_BYTES", value_name = "BYTES", default_value_t = limits::ATTACHMENTS_QUOTA_BYTES, value_parser = clap::value_parser!(u64).range(0..=i64::MAX.cast_unsigned()))]
    pub attachments_quota_bytes: u64,
}

impl AttachmentPlace {
    /// Opens the place, which belongs to the data in a directory, or on a database server; `None`: there is none.
    ///
    /// # Errors
    /// It can't be used as it is set up.
    pub fn open(&self, data: &Path, is_on_server: bool) -> anyhow::Result<Option<Blobs>> {
        let opened = match self.attachments.as_deref() {
            Some(url) if url.starts_with(BUCKET) => {
                let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                };
                let variables = std::env::vars_os().filter_map(text);
                let settings: Vec<_> =
                    variables.filter(|(name, _)| name.starts_with(BUCKET_VARIABLES)).collect();
                Blobs::in_bucket(url, &settings)
            }
            Some(path) => {
                self.check()?;
                in_directory(Path::new(path))
            }
            None if is_on_server => return Ok(None),
            None => in_directory(&data.join(FOLDER_NAME)),
        };
        opened.map(Some).context("the place of attachments can't be used")
    }

    /// Refuses what is neither a directory nor a bucket.
    ///
    /// # Errors
    /// It is the address of something else.
    pub fn check(&self) -> anyhow::Result<()> {
        match self.attachments.as_deref() {
            Some(url) if url.contains("://") && !url.starts_with(BUCKET) => {
                bail!("attachments: {} is neither a directory nor s3://BUCKET/PREFIX", without_user(url))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The directory of the bytes, where there is one and it is not made yet: for looking, not for keeping.
    pub fn is_absent(&self, data: &Path) -> bool {
        match self.attachments.as_deref() {
            Some(url) if url.starts_with(BUCKET) => false,
            Some(path) => !Path::new(path).exists(),
            None => !data.join(FOLDER_NAME).exists(),
        }
    }

    /// Gives what a server works with.
    ///
    /// # Errors
    /// As [`AttachmentPlace::open`].
    pub fn of_server(
        &self,
        data: &Path,
        is_on_server: bool,
        limits: &AttachmentLimits,
    ) -> anyhow::Result<Attachments> {
        Ok(match self.open(data, is_on_server)? {
            Some(blobs) => {
                Attachments::new(blobs, limits.attachment_bytes_max, limits.attachments_quota_bytes)
            }
            None => {
                tracing::warn!("{OFF}");
                Attachments::off(OFF)
            }
        })
    }

    /// Gives what a command works with, which adds none.
    ///
    /// # Errors
    /// As [`AttachmentPlace::open`].
    pub fn of_command(&self, data: &Path, is_on_server: bool) -> anyhow::Result<Attachments> {
        Ok(match self.open(data, is_on_server)? {
            Some(blobs) => Attachments::new(blobs, 0, 0),
            None => Attachments::off(OFF),
        })
    }

    /// Names the place, for people.
    pub fn shown(&self, data: &Path) -> PathBuf {
        self.attachments.as_ref().map_or_else(|| data.join(FOLDER_NAME), PathBuf::from)
    }
}

/// Opens a directory in which what is made is for its owner alone: the library that writes there asks for no mode.
fn in_directory(path: &Path) -> Result<Blobs, casement_store::blobs::BlobError> {
    umask(Mode::RWXG | Mode::RWXO);
    Blobs::in_directory(path)
}
