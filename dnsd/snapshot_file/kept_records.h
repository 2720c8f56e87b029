#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/federation/mirror.h"
#include "dnsd/snapshot_file/snapshot_file.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::snapshot_file {

/// The records that an earlier run has left in a snapshot file.
///
/// How it works
/// The content of a snapshot file is one encoded v1::Batch. It was written piece by piece (SnapshotKeeper), and is read
/// so: protobuf's encodings of parts of a message, one after the other, are the encoding of the whole, so that each cut
/// between two fields of the batch leaves two encoded batches. Neither side ever holds the whole content.
struct KeptSet {
  snapshot_file::SnapshotFile::Reader content;
  Duration age{};
};
struct KeptSnapshots {
  std::optional<KeptSet> newest;  // of the generations that are whole; nothing = there is none
  std::size_t damaged = 0;        // generations; what is wrong with them is logged
};
/// path: without the ending
KeptSnapshots open_snapshot(const std::string& path, std::int64_t unix_seconds);

/// Reads a batch in blocks.
class BlockReader {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

  /// content: must outlive it. block_bytes: about so much is read at once
  explicit BlockReader(snapshot_file::SnapshotFile::Reader& content, std::size_t block_bytes = kBlockBytes)
      : content_(content), block_bytes_(block_bytes) {}

  /// The next fields of the batch; nothing = that was all.
  /// errors: DataLoss: the content is no batch
  Result<std::optional<v1::Batch>> next();

 private:
  snapshot_file::SnapshotFile::Reader& content_;
  std::size_t block_bytes_;
  std::string bytes_;  // read, and not handed out yet
};

/// Applies a snapshot to a mirror that holds nothing, block by block.
/// now:    when the snapshot was written, on this process's clock
/// edit:   may change each part before it is applied; the last one has no records
/// returns: how many records were applied
/// errors:  DataLoss: the content is no batch. The mirror then holds nothing, and its next set replaces what it left
Result<std::size_t> restore_records(BlockReader blocks, federation::Mirror& mirror, TimePoint now,
                                    const std::function<void(v1::Batch&)>& edit = {});

/// Whether what a folder keeps can be seen: a folder that cannot be entered must not be taken for an empty one. One
/// that is not there yet is empty.
/// errors: FailedPrecondition, with the reason
Result<void> check_folder(const std::string& folder);

}  // namespace meshdns::snapshot_file
