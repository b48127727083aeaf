-- Deleted tasks that may have left files: what a database may take for a leftover is what it has deleted itself.

create table deleted_task (
  id         text collate "C" not null primary key,
  deleted_at bigint not null
);
