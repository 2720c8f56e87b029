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
/// How it works: the content of a snapshot file is one encoded v1::Batch, which SnapshotKeeper writes piece by piece
/// and BlockReader reads piece by piece. Protobuf allows that: the encodings of parts of a message, one after the
/// other, are the encoding of the whole message. So a cut between two fields of the batch leaves two encoded batches,
/// and neither side ever holds the whole content.
///
///   | head fields | record | record | record | record | ...      one v1::Batch
///   |---------- block ---------|-------- block -------| ...      each of them a v1::Batch, too
struct KeptSet {
  snapshot_file::SnapshotFile::Reader content;
  Duration age{};
};
/// The result of open_snapshot().
struct KeptSnapshots {
  std::optional<KeptSet> newest;  // the newest generation that is whole; nothing = there is none
  std::size_t damaged = 0;        // the number of damaged generations
};
/// Opens the newest whole generation of a snapshot, and logs what is wrong with the others.
/// path: without the ending
KeptSnapshots open_snapshot(const std::string& path, std::int64_t unix_seconds);

/// Reads the content of a snapshot in blocks.
class BlockReader {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

  /// content:     must outlive the reader
  /// block_bytes: how much is read at once; a longer record makes a longer block
  explicit BlockReader(snapshot_file::SnapshotFile::Reader& content, std::size_t block_bytes = kBlockBytes)
      : content_(content), block_bytes_(block_bytes) {}

  /// Returns the next fields of the batch; nothing = the end is reached.
  /// errors: DataLoss: the content is no batch
  Result<std::optional<v1::Batch>> next();

 private:
  snapshot_file::SnapshotFile::Reader& content_;
  std::size_t block_bytes_;
  std::string bytes_;  // that were read and not handed out yet
};

/// Applies a snapshot to a mirror that holds nothing, block by block.
/// now:    when the snapshot was written, on this process's clock
/// edit:   may change each part before it is applied; the last part has no records
/// returns: the number of records that were applied
/// errors:  DataLoss: the content is no batch. The mirror then holds nothing, and its next set replaces what it left
Result<std::size_t> restore_records(BlockReader blocks, federation::Mirror& mirror, TimePoint now,
                                    const std::function<void(v1::Batch&)>& edit = {});

/// Checks that the content of a folder can be read. Otherwise a folder without permission would look like an empty one,
/// and the store in it like a lost one. A folder that does not exist yet passes.
/// errors: FailedPrecondition, with the reason
Result<void> check_folder(const std::string& folder);

}  // namespace meshdns::snapshot_file
