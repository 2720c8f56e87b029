#include "dnsd/persistence/record_writer.h"

#include <algorithm>
#include <utility>

namespace meshdns::persistence {

using catalog::RecordType;

void RecordWriter::changed(RecordType type, const std::string& key) {
  serial_shown_ = true;
  if (is_stored(type)) unwritten_.changed(type, key);
  go_on();
}

void RecordWriter::everything() {
  unwritten_.everything();
  go_on();
}

void RecordWriter::retry() {
  failing_ = true;
  go_on();
}

void RecordWriter::finish() {
  stop();
  if (failing_ || serial_shown_) write(0);
  for (std::size_t left = sizes_.last; left > 0 && !unwritten_.empty();) {
    if (unwritten_.round_over()) unwritten_.begin_round();
    left -= write(std::min(left, sizes_.slice));
  }
}

void RecordWriter::stop() {
  if (timer_) env_.timers.cancel(*timer_);
  timer_.reset();
}

void RecordWriter::come_back(Duration delay) {
  timer_ = env_.timers.after(delay, [this] {
    timer_.reset();
    turn();
  });
}

void RecordWriter::go_on() {
  if (timer_) return;
  if (failing_) {
    if (!asking_) come_back(sizes_.lazily);
    return;
  }
  if (unwritten_.round_over()) {
    if (serial_shown_ || !unwritten_.empty()) come_back(sizes_.lazily);
  } else if (ahead_ < sizes_.ahead) {
    come_back(Duration{0});
  }
}

void RecordWriter::turn() {
  if (failing_) {
    asking_ = true;
    write(0);  // no new rows: the store still has the rows of failed calls, and writes them with this call
    return;
  }
  if (!serial_shown_ && unwritten_.empty()) return;
  if (unwritten_.round_over()) unwritten_.begin_round();
  write(sizes_.slice);
  go_on();
}

std::size_t RecordWriter::write(std::size_t most) {
  const StoredAt at{env_.clock.now(), env_.clock.unix_seconds(), &env_.digest_of};
  std::vector<store::StoredRecord> put;
  std::vector<store::RecordKey> erase;
  for (auto& [type, key] : unwritten_.next(env_.catalog.records(), most)) {
    if (auto record = stored_record(env_.catalog.records(), type, key, at)) {
      put.push_back(std::move(*record));
    } else {
      erase.emplace_back(record_type_name(type), std::move(key));
    }
  }
  // The serial goes with every slice. Otherwise clients could see a serial in a long round that is more than
  // kMostUnwritten beyond the stored one, and after a crash the serial would go back.
  put.push_back(serial_record());
  serial_shown_ = false;
  const std::size_t rows = put.size() + erase.size();
  ahead_ += rows;
  env_.put(std::move(put), std::move(erase), [this, rows](const Result<void>& result) { written(rows, result); });
  return rows - 1;
}

void RecordWriter::written(std::size_t rows, const Result<void>& result) {
  asking_ = false;
  if (result) {
    ahead_ -= rows + std::exchange(failed_ahead_, 0);
    failing_ = false;
  } else {
    failed_ahead_ += rows;
    failing_ = true;
  }
  env_.verdict(result);
  go_on();
}

store::StoredRecord RecordWriter::serial_record() const {
  return {kSerialRecord, "", std::to_string(env_.catalog.serial()), env_.clock.unix_seconds()};
}

}  // namespace meshdns::persistence
