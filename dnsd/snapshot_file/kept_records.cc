#include "dnsd/snapshot_file/kept_records.h"

#include <google/protobuf/io/coded_stream.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/log/log.h"

namespace meshdns::snapshot_file {
namespace {

using google::protobuf::io::CodedInputStream;

/// Skips the next field of an encoded message.
/// returns: false = the bytes end before the field does, or there is no such field
bool skip_field(CodedInputStream& in) {
  constexpr std::uint32_t kVarint = 0;
  constexpr std::uint32_t kFixed64 = 1;
  constexpr std::uint32_t kBytes = 2;
  constexpr std::uint32_t kFixed32 = 5;
  std::uint32_t tag = 0;
  std::uint64_t number = 0;
  if (!in.ReadVarint32(&tag)) return false;
  switch (tag & 7U) {
    case kVarint: return in.ReadVarint64(&number);
    case kFixed64: return in.Skip(8);
    case kFixed32: return in.Skip(4);
    case kBytes: {
      std::uint32_t length = 0;
      constexpr std::uint32_t kLongest = (1U << 31) - 1;
      return in.ReadVarint32(&length) && length <= kLongest && in.Skip(static_cast<int>(length));
    }
    default: return false;  // there are no groups in a batch
  }
}

/// Returns the length of the longest prefix of `bytes` that consists of whole fields.
std::size_t whole_fields(const std::string& bytes) {
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  int whole = 0;
  while (skip_field(in)) whole = in.CurrentPosition();
  return static_cast<std::size_t>(whole);
}

}  // namespace

Result<void> check_folder(const std::string& folder) {
  if (::access(folder.c_str(), R_OK | X_OK) == 0 || errno == ENOENT) return {};
  return Error(Code::FailedPrecondition, "data_dir " + folder + ": " + std::strerror(errno) +
                                             ": what is kept there cannot be seen, and must not be taken for lost");
}

KeptSnapshots open_snapshot(const std::string& path, std::int64_t unix_seconds) {
  auto found = snapshot_file::SnapshotFile(path).open(unix_seconds);
  KeptSnapshots out{{}, found.problems.size()};
  for (const std::string& problem : found.problems) log::error("snapshot damaged", {{"problem", problem}});
  if (found.content) out.newest = KeptSet{*std::move(found.content), found.age};
  return out;
}

Result<std::optional<v1::Batch>> BlockReader::next() {
  for (std::size_t wanted = block_bytes_;; wanted += block_bytes_) {
    while (bytes_.size() < wanted && content_.read(bytes_, wanted - bytes_.size())) continue;
    if (const std::size_t whole = whole_fields(bytes_); whole > 0) {
      v1::Batch block;
      const bool good = block.ParseFromArray(bytes_.data(), static_cast<int>(whole));
      bytes_.erase(0, whole);
      if (good) return block;
      break;
    }
    if (bytes_.size() < wanted) {  // the end of the file; before it, a record longer than the block needs more bytes
      if (bytes_.empty() && content_.left() == 0) return std::nullopt;
      break;
    }
  }
  return Error(Code::DataLoss, "its content is no batch");
}

Result<std::size_t> restore_records(BlockReader blocks, federation::Mirror& mirror, TimePoint now,
                                    const std::function<void(v1::Batch&)>& edit) {
  v1::Batch head;  // all fields except records; in files of the first version some of them come last
  std::uint32_t parts = 0;
  std::size_t records = 0;
  const auto apply = [&](v1::Batch part, bool last) -> Result<void> {
    part.set_part(parts++);
    part.set_last(last);
    if (edit) edit(part);
    records += static_cast<std::size_t>(part.records_size());
    if (const auto nacks = mirror.apply(part, now); !nacks) return nacks.error();
    return {};
  };
  for (;;) {
    auto block = blocks.next();
    if (!block) return block.error();
    if (!*block) break;
    google::protobuf::RepeatedPtrField<v1::Record> of_block;
    of_block.Swap((*block)->mutable_records());
    head.MergeFrom(**block);
    if (of_block.empty()) continue;
    v1::Batch part = head;
    part.mutable_records()->Swap(&of_block);
    if (auto done = apply(std::move(part), false); !done) return done.error();
  }
  if (auto done = apply(head, true); !done) return done.error();
  return records;
}

}  // namespace meshdns::snapshot_file
