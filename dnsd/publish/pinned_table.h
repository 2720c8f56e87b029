#pragma once

#include "common/published/quiescent.h"
#include "dnsd/answers/answer_table.h"

namespace meshdns::publish {

/// Keeps the table that is published at its construction alive, so that another thread can write it to disk. That
/// thread destroys the PinnedTable. `from` must outlive it.
class PinnedTable {
 public:
  explicit PinnedTable(Quiescent<answers::AnswerTable>& from) : reader_(from), table_(reader_.read()) {}

  const answers::AnswerTable* get() const { return table_; }

 private:
  Quiescent<answers::AnswerTable>::Reader reader_;
  const answers::AnswerTable* table_;
};

}  // namespace meshdns::publish
