#include "dnsd/snapshot_file/snapshot_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/durable_file.h"
#include "common/base/private_folder.h"
#include "common/net/fd.h"
#include "dnsd/snapshot_file/digest.h"
#include "dnsd/snapshot_file/file_io.h"

namespace meshdns::snapshot_file {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "MDNSSNAP";
constexpr std::uint32_t kFirstVersion = 1;
constexpr std::size_t kHead = 8 + 4 + 8;  // of both versions: magic, version, time
constexpr std::size_t kSum = 8 + 8;       // length and checksum: at the end; in version 1 after the head

void put_number(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t number_at(std::string_view text, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t{static_cast<unsigned char>(text[at + i])} << (8 * i);
  return value;
}

std::string head_of(std::int64_t unix_seconds) {
  std::string out(kMagic);
  put_number(out, SnapshotFile::kVersion, 4);
  put_number(out, static_cast<std::uint64_t>(unix_seconds), 8);
  return out;
}

Error failure(const std::string& what) { return {Code::Unavailable, what + ": " + std::strerror(errno)}; }

int open_file(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }

/// Returns up to `most` bytes of the file from an offset on. Moves the file's position behind them.
std::string bytes_at(int fd, std::uint64_t offset, std::size_t most) {
  std::string out;
  if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return out;
  while (out.size() < most && read_some(fd, out, most - out.size()) > 0) continue;
  return out;
}

/// The head of a generation's file, and the file's size.
struct Generation {
  std::uint64_t version = 0;
  std::int64_t unix_seconds = 0;
  std::uint64_t size = 0;

  bool is_first_version() const { return version == kFirstVersion; }
  std::uint64_t content_begin() const { return is_first_version() ? kHead + kSum : kHead; }
  std::uint64_t length() const { return size - kHead - kSum; }
  std::uint64_t sum_begin() const { return is_first_version() ? kHead : size - kSum; }
};

Result<Generation> generation_of(int fd) {
  Generation out;
  struct stat status {};
  if (::fstat(fd, &status) == 0) out.size = static_cast<std::uint64_t>(status.st_size);
  const std::string head = bytes_at(fd, 0, kHead);
  if (head.size() < kHead) return Error(Code::DataLoss, "cut off in its head");
  if (!head.starts_with(kMagic)) return Error(Code::DataLoss, "not a snapshot");
  out.version = number_at(head, 8, 4);
  if (out.version != kFirstVersion && out.version != SnapshotFile::kVersion) {
    return Error(Code::FailedPrecondition, "of version " + std::to_string(out.version) +
                                               ", this program reads versions 1 and " +
                                               std::to_string(SnapshotFile::kVersion));
  }
  out.unix_seconds = static_cast<std::int64_t>(number_at(head, 12, 8));
  if (out.size < kHead + kSum) return Error(Code::DataLoss, "cut off");
  return out;
}

/// Reads the whole file and checks it. Moves the file's position to the beginning of the content.
/// returns: its head
/// errors:  DataLoss = damaged; FailedPrecondition = of an unknown version
Result<Generation> checked(int fd) {
  const auto generation = generation_of(fd);
  if (!generation) return generation.error();
  const std::string sum = bytes_at(fd, generation->sum_begin(), kSum);
  if (sum.size() < kSum || number_at(sum, 0, 8) != generation->length()) return Error(Code::DataLoss, "cut off");
  Digest digest;
  digest.add(bytes_at(fd, 0, kHead));
  if (generation->is_first_version()) digest.add(std::string_view(sum).substr(0, 8));
  const auto content = static_cast<off_t>(generation->content_begin());
  if (::lseek(fd, content, SEEK_SET) < 0 ||
      !read_parts(fd, generation->length(), [&digest](std::string_view part) { digest.add(part); })) {
    return Error(Code::DataLoss, "cannot be read");
  }
  if (!generation->is_first_version()) digest.add(std::string_view(sum).substr(0, 8));
  if (number_at(sum, 8, 8) != digest.value()) return Error(Code::DataLoss, "its checksum is wrong");
  ::lseek(fd, content, SEEK_SET);
  return generation;
}

}  // namespace

struct SnapshotFile::Writer::State {
  State(std::string the_path, int fd) : path(std::move(the_path)), file(fd) {}

  std::string next() const { return path + ".next"; }
  Result<void> append(std::string_view bytes) {
    digest.add(bytes);
    if (!write_all(file.get(), bytes)) return failure(next());
    return {};
  }

  std::string path;
  Fd file;
  Digest digest;
  std::uint64_t length = 0;
  bool finished = false;
};

SnapshotFile::Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}
SnapshotFile::Writer::Writer(Writer&& other) noexcept = default;
SnapshotFile::Writer::~Writer() {
  if (state_ && !state_->finished) ::unlink(state_->next().c_str());
}

Result<SnapshotFile::Writer> SnapshotFile::write(std::int64_t unix_seconds) const {
  (void)make_private_folder(
      fs::path(path_).parent_path().string());  // result unused: a failure shows when the file is opened
  const std::string current = path_ + ".snapshot";
  const int fd = ::open((current + ".next").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failure(current + ".next");
  auto state = std::make_unique<Writer::State>(current, fd);
  if (auto written = state->append(head_of(unix_seconds)); !written) return written.error();
  return Writer(std::move(state));
}

Result<void> SnapshotFile::Writer::append(std::string_view bytes) {
  state_->length += bytes.size();
  return state_->append(bytes);
}

Result<std::uint64_t> SnapshotFile::Writer::finish() {
  std::string sum;
  put_number(sum, state_->length, 8);
  if (auto written = state_->append(sum); !written) return written.error();
  const std::uint64_t checksum = state_->digest.value();
  std::string last;
  put_number(last, checksum, 8);
  const std::string& current = state_->path;
  if (!write_all(state_->file.get(), last) || ::fsync(state_->file.get()) != 0) return failure(state_->next());
  if (::rename(current.c_str(), (current + ".previous").c_str()) != 0 && errno != ENOENT) return failure(current);
  if (::rename(state_->next().c_str(), current.c_str()) != 0) {
    auto failed = failure(state_->next());
    (void)::rename((current + ".previous").c_str(), current.c_str());  // result unused: what failed first is told
    return failed;
  }
  state_->finished = true;
  sync_folder(current);
  return checksum;
}

Result<void> SnapshotFile::save(std::string_view content, std::int64_t unix_seconds) const {
  auto writer = write(unix_seconds);
  if (!writer) return writer.error();
  if (auto written = writer->append(content); !written) return written;
  if (auto finished = writer->finish(); !finished) return finished.error();
  return {};
}

SnapshotFile::Reader::Reader(Reader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), left_(std::exchange(other.left_, 0)) {}
SnapshotFile::Reader& SnapshotFile::Reader::operator=(Reader&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(left_, other.left_);
  return *this;
}
SnapshotFile::Reader::~Reader() {
  if (fd_ >= 0) ::close(fd_);
}

bool SnapshotFile::Reader::read(std::string& out, std::size_t most) {
  const std::size_t before = out.size();
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, most));
  const bool more = size > 0 && read_some(fd_, out, size) > 0;
  left_ -= out.size() - before;
  return more;
}

SnapshotFile::Opened SnapshotFile::open(std::int64_t unix_seconds) const {
  Opened out;
  for (const std::string& path : {path_ + ".snapshot", path_ + ".snapshot.previous"}) {
    Fd file(open_file(path));
    if (file.get() < 0) {
      if (errno != ENOENT) out.problems.push_back(path + ": " + std::strerror(errno));
      continue;
    }
    const auto generation = checked(file.get());
    if (generation) {
      out.content = Reader(file.release(), generation->length());
      out.age = std::chrono::seconds(std::max<std::int64_t>(0, unix_seconds - generation->unix_seconds));
      return out;
    }
    out.problems.push_back(path + ": " + generation.error().message());
    // a file of a newer program is still good for that program, and stays
    if (generation.error().code() != Code::FailedPrecondition) ::rename(path.c_str(), (path + ".bad").c_str());
  }
  return out;
}

SnapshotFile::Loaded SnapshotFile::load(std::int64_t unix_seconds) const {
  Opened opened = open(unix_seconds);
  Loaded out{std::nullopt, opened.age, std::move(opened.problems)};
  if (!opened.content) return out;
  std::string content;
  content.reserve(opened.content->left());
  while (opened.content->read(content, opened.content->left())) continue;
  if (opened.content->left() == 0) out.content = std::move(content);
  return out;
}

std::optional<std::uint64_t> SnapshotFile::checksum() const {
  const Fd file(open_file(path_ + ".snapshot"));
  if (file.get() < 0) return std::nullopt;
  const auto generation = generation_of(file.get());
  if (!generation) return std::nullopt;
  const std::string sum = bytes_at(file.get(), generation->sum_begin(), kSum);
  if (sum.size() < kSum) return std::nullopt;
  return number_at(sum, 8, 8);
}

std::uint64_t digest(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.value();
}

std::uint64_t file_digest(const std::string& path) {
  const Fd file(open_file(path));
  if (file.get() < 0) return 0;
  Digest digest;
  std::string part;
  std::ptrdiff_t size = 0;
  do {
    part.clear();
    size = read_some(file.get(), part, kPart);
    digest.add(part);
  } while (size > 0);
  return size < 0 ? 0 : digest.value();
}

}  // namespace meshdns::snapshot_file
