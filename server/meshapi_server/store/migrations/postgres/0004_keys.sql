-- What a key may do, how it is exchanged, and how often it asked.

-- may manage keys, and nothing else
alter table api_key add column admin bigint not null default 0;
-- the patterns of the models that it may use, as JSON. None is all
alter table api_key add column models text;
alter table api_key add column requests_per_minute bigint;
alter table api_key add column requests_per_day bigint;
-- that have not ended
alter table api_key add column tasks_in_flight bigint;
-- nano-dollars of one day (UTC)
alter table api_key add column budget_per_day bigint;
-- nano-dollars
alter table api_key add column budget_total bigint;
alter table api_key add column expires_at bigint;
alter table api_key add column suspended_at bigint;
alter table api_key add column rotated_at bigint;
-- of the secret before, which opens until `old_until`
alter table api_key add column old_hash bytea;
alter table api_key add column old_until bigint;
create unique index api_key_old_hash on api_key (old_hash) where old_hash is not null;

-- How often a key asked lately, one row for each of its limits. Whoever counts holds the row until the commit.
create table request_window (
  key_id  text   collate "C" not null references api_key (id),
  seconds bigint not null, -- the length of the window
  counts  text   not null, -- as JSON, see accounts/windows.py
  primary key (key_id, seconds)
) with (fillfactor = 30);

-- The tasks of a key that has a limit. Nothing is kept here of a key without any.
create index schedule_by_lane on schedule (lane) where lane <> '';
