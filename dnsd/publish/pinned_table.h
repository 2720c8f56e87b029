#pragma once

#include "common/published/quiescent.h"
#include "dnsd/answers/answer_table.h"

namespace meshdns::publish {

/// A table that is published, held while somebody writes it down: for another thread, which lets go of it.
class PinnedTable {
 public:
  explicit PinnedTable(Quiescent<answers::AnswerTable>& from) : reader_(from), table_(reader_.read()) {}

  const answers::AnswerTable* get() const { return table_; }

 private:
  Quiescent<answers::AnswerTable>::Reader reader_;
  const answers::AnswerTable* table_;
};

}  // namespace meshdns::publish
