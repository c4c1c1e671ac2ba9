//! The parameters there are, as PostgreSQL 15 names them.
//!
//! G2: a parameter of Postgres whose effect this server has no use for is taken and shown, so that clients that set it go on.
//! Never: holds a value of a session.

use crate::version::SERVER_VERSION;

/// What values a parameter takes.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Bool,
    Integer(i64, i64),
    /// A number ≥ 0.
    Real,
    /// A duration in ms unless a unit follows.
    Milliseconds,
    /// An amount of memory in kB unless a unit follows.
    Kilobytes,
    /// One of these, compared without case.
    OneOf(&'static [&'static str]),
    /// A time zone.
    Zone,
    /// A moment of the past, read in the session's manner; empty for the present.
    Moment,
    Fixed,
}

/// One parameter.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) kind: Kind,
    /// Told to clients at start and on change.
    pub(super) reported: bool,
}

const fn known(name: &'static str, default: &'static str, kind: Kind, reported: bool) -> Known {
    Known { name, default, kind, reported }
}

const ISOLATION: Kind = Kind::OneOf(&["read committed", "repeatable read", "serializable", "read uncommitted"]);

/// The moment that a session reads.
pub(crate) const AS_OF: &str = "shockwave.as_of";

/// Whether joins along the edges of a property graph are answered by graph operators.
pub(crate) const GRAPH_OPERATORS: &str = "shockwave.graph_operators";

/// What the plans of graph operators are drawn from, where it is not 0: for tests that hold plans against each other.
pub(crate) const GRAPH_PLAN_SEED: &str = "shockwave.graph_plan_seed";

/// What a commit waits for, beyond being durable.
pub(crate) const LEDGER_WAIT: &str = "ledger.wait";

/// Sorted by name without case.
pub(super) const KNOWN: &[Known] = &[
    known("application_name", "", Kind::Text, true),
    known("array_nulls", "on", Kind::Bool, false),
    known("backend_flush_after", "0", Kind::Kilobytes, false),
    known("backslash_quote", "safe_encoding", Kind::OneOf(&["safe_encoding", "on", "off"]), false),
    known("block_size", "8192", Kind::Fixed, false),
    known("bytea_output", "hex", Kind::OneOf(&["escape", "hex"]), false),
    known("check_function_bodies", "on", Kind::Bool, false),
    known("client_connection_check_interval", "0", Kind::Milliseconds, false),
    known("client_encoding", "UTF8", Kind::OneOf(&["UTF8", "UNICODE", "SQL_ASCII"]), true),
    known(
        "client_min_messages",
        "notice",
        Kind::OneOf(&["debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"]),
        false,
    ),
    known("compute_query_id", "auto", Kind::OneOf(&["auto", "regress", "on", "off"]), false),
    known("constraint_exclusion", "partition", Kind::OneOf(&["partition", "on", "off"]), false),
    known("cpu_index_tuple_cost", "0.005", Kind::Real, false),
    known("cpu_operator_cost", "0.0025", Kind::Real, false),
    known("cpu_tuple_cost", "0.01", Kind::Real, false),
    known("cursor_tuple_fraction", "0.1", Kind::Real, false),
    known("data_checksums", "on", Kind::Fixed, false),
    known("DateStyle", "ISO, MDY", Kind::Text, true),
    known("deadlock_timeout", "1000", Kind::Milliseconds, false),
    known("default_statistics_target", "100", Kind::Integer(1, 10_000), false),
    known("default_table_access_method", "heap", Kind::Text, false),
    known("default_tablespace", "", Kind::Text, false),
    known("default_text_search_config", "pg_catalog.english", Kind::Text, false),
    known("default_toast_compression", "pglz", Kind::OneOf(&["pglz", "lz4"]), false),
    known("default_transaction_deferrable", "off", Kind::Bool, false),
    known("default_transaction_isolation", "read committed", ISOLATION, false),
    known("default_transaction_read_only", "off", Kind::Bool, true),
    known("effective_cache_size", "4194304", Kind::Kilobytes, false),
    known("enable_async_append", "on", Kind::Bool, false),
    known("enable_bitmapscan", "on", Kind::Bool, false),
    known("enable_gathermerge", "on", Kind::Bool, false),
    known("enable_hashagg", "on", Kind::Bool, false),
    known("enable_hashjoin", "on", Kind::Bool, false),
    known("enable_incremental_sort", "on", Kind::Bool, false),
    known("enable_indexonlyscan", "on", Kind::Bool, false),
    known("enable_indexscan", "on", Kind::Bool, false),
    known("enable_material", "on", Kind::Bool, false),
    known("enable_memoize", "on", Kind::Bool, false),
    known("enable_mergejoin", "on", Kind::Bool, false),
    known("enable_nestloop", "on", Kind::Bool, false),
    known("enable_parallel_append", "on", Kind::Bool, false),
    known("enable_parallel_hash", "on", Kind::Bool, false),
    known("enable_partition_pruning", "on", Kind::Bool, false),
    known("enable_partitionwise_aggregate", "off", Kind::Bool, false),
    known("enable_partitionwise_join", "off", Kind::Bool, false),
    known("enable_seqscan", "on", Kind::Bool, false),
    known("enable_sort", "on", Kind::Bool, false),
    known("enable_tidscan", "on", Kind::Bool, false),
    known("escape_string_warning", "on", Kind::Bool, false),
    known("exit_on_error", "off", Kind::Bool, false),
    known("extra_float_digits", "1", Kind::Integer(-15, 3), false),
    known("force_parallel_mode", "off", Kind::OneOf(&["off", "on", "regress"]), false),
    known("from_collapse_limit", "8", Kind::Integer(1, 2_147_483_647), false),
    known("geqo", "on", Kind::Bool, false),
    known("gin_fuzzy_search_limit", "0", Kind::Integer(0, 2_147_483_647), false),
    known("hash_mem_multiplier", "2", Kind::Real, false),
    known("idle_in_transaction_session_timeout", "0", Kind::Milliseconds, false),
    known("idle_session_timeout", "0", Kind::Milliseconds, false),
    known("in_hot_standby", "off", Kind::Fixed, true),
    known("integer_datetimes", "on", Kind::Fixed, true),
    known("IntervalStyle", "postgres", Kind::OneOf(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"]), true),
    known("is_superuser", "on", Kind::Fixed, true),
    known("jit", "off", Kind::Bool, false),
    known("join_collapse_limit", "8", Kind::Integer(1, 2_147_483_647), false),
    known("lc_collate", "C", Kind::Fixed, false),
    known("lc_ctype", "C.UTF-8", Kind::Fixed, false),
    known("lc_messages", "C", Kind::Text, false),
    known("lc_monetary", "C", Kind::Text, false),
    known("lc_numeric", "C", Kind::Text, false),
    known("lc_time", "C", Kind::Text, false),
    known(LEDGER_WAIT, "off", Kind::OneOf(&["off", "cosigned"]), false),
    known("lo_compat_privileges", "off", Kind::Bool, false),
    known("lock_timeout", "0", Kind::Milliseconds, false),
    known("log_duration", "off", Kind::Bool, false),
    known("log_min_duration_statement", "-1", Kind::Integer(-1, 2_147_483_647), false),
    known("log_statement", "none", Kind::OneOf(&["none", "ddl", "mod", "all"]), false),
    known("logical_decoding_work_mem", "65536", Kind::Kilobytes, false),
    known("maintenance_work_mem", "65536", Kind::Kilobytes, false),
    known("max_connections", "100", Kind::Fixed, false),
    known("max_function_args", "100", Kind::Fixed, false),
    known("max_identifier_length", "63", Kind::Fixed, false),
    known("max_index_keys", "32", Kind::Fixed, false),
    known("max_parallel_maintenance_workers", "2", Kind::Integer(0, 1_024), false),
    known("max_parallel_workers", "8", Kind::Integer(0, 1_024), false),
    known("max_parallel_workers_per_gather", "2", Kind::Integer(0, 1_024), false),
    known("max_prepared_transactions", "0", Kind::Fixed, false),
    known("max_stack_depth", "2048", Kind::Kilobytes, false),
    known("min_parallel_index_scan_size", "512", Kind::Kilobytes, false),
    known("min_parallel_table_scan_size", "8192", Kind::Kilobytes, false),
    known("password_encryption", "scram-sha-256", Kind::OneOf(&["scram-sha-256"]), false),
    known("plan_cache_mode", "auto", Kind::OneOf(&["auto", "force_generic_plan", "force_custom_plan"]), false),
    known("post_auth_delay", "0", Kind::Integer(0, 2147), false),
    known("quote_all_identifiers", "off", Kind::Bool, false),
    known("random_page_cost", "4", Kind::Real, false),
    known("role", "none", Kind::Fixed, false),
    known("row_security", "on", Kind::Bool, false),
    known("search_path", "\"$user\", public", Kind::Text, false),
    known("segment_size", "131072", Kind::Fixed, false),
    known("seq_page_cost", "1", Kind::Real, false),
    known("server_encoding", "UTF8", Kind::Fixed, true),
    known("server_version", SERVER_VERSION, Kind::Fixed, true),
    known("server_version_num", "150000", Kind::Fixed, false),
    known("session_authorization", "", Kind::Fixed, true),
    known("session_replication_role", "origin", Kind::OneOf(&["origin", "replica", "local"]), false),
    known(AS_OF, "", Kind::Moment, false),
    known(GRAPH_OPERATORS, "auto", Kind::OneOf(&["auto", "on", "off"]), false),
    known(GRAPH_PLAN_SEED, "0", Kind::Integer(0, 2_147_483_647), false),
    known("ssl", "off", Kind::Fixed, false),
    known("standard_conforming_strings", "on", Kind::OneOf(&["on"]), true),
    known("statement_mem", "0", Kind::Kilobytes, false),
    known("statement_timeout", "0", Kind::Milliseconds, false),
    known("synchronize_seqscans", "on", Kind::Bool, false),
    known("synchronous_commit", "on", Kind::OneOf(&["local", "remote_write", "remote_apply", "on", "off"]), false),
    known("temp_buffers", "8192", Kind::Kilobytes, false),
    known("temp_tablespaces", "", Kind::Text, false),
    known("TimeZone", "UTC", Kind::Zone, true),
    known("timezone_abbreviations", "Default", Kind::Text, false),
    known("track_activities", "on", Kind::Bool, false),
    known("transaction_deferrable", "off", Kind::Bool, false),
    known("transaction_isolation", "read committed", Kind::Fixed, false),
    known("transaction_read_only", "off", Kind::Fixed, false),
    known("transform_null_equals", "off", Kind::Bool, false),
    known("update_process_title", "on", Kind::Bool, false),
    known("vacuum_cost_delay", "0", Kind::Real, false),
    known("wal_level", "replica", Kind::Fixed, false),
    known("work_mem", "4096", Kind::Kilobytes, false),
    known("xmlbinary", "base64", Kind::OneOf(&["base64", "hex"]), false),
    known("xmloption", "content", Kind::OneOf(&["content", "document"]), false),
];
