-- Retention: results that are no longer kept.

-- when its files were removed, though the task is still told of
alter table task add column files_removed_at bigint;
-- What still has files, oldest first.
create index task_with_files on task (id) where status = 'succeeded' and files_removed_at is null;
