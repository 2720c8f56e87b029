#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/endpoint_source.h"
#include "agent/discovery/endpoints_file.h"

namespace meshdns::discovery {

/// The discovery source that reads the *.yaml files of a directory (endpoints.d). It never withdraws endpoints by
/// mistake: if a file is wrong or cannot be read, its last good endpoints stay listed, and likewise for the directory.
/// Removing a file removes its endpoints.
class StaticSource : public EndpointSource {
 public:
  struct FileState {
    std::string path;
    bool listed = false;  // the file was read; otherwise endpoints() has its last good content
    std::string error;    // one problem per line; a duplicate endpoint that is left out is one, though `listed` is true

    friend bool operator==(const FileState&, const FileState&) = default;
  };

  /// Reads nothing before refresh().
  /// directory: need not exist yet
  StaticSource(std::string directory, Defaults defaults);

  /// Reads the files that changed by inode, size or times. Call it every second.
  /// returns: true = endpoints(), files(), listed() or error() changed
  bool refresh();

  /// Replaces the defaults; the next refresh() reads all files again.
  void set_defaults(Defaults defaults);

  const std::string& directory() const { return directory_; }
  /// The endpoints by file name, then in the order of the file. Of several endpoints with the same key, only the first.
  const std::vector<Discovered>& endpoints() const override { return listing_.endpoints; }
  std::string_view name() const override { return "static"; }
  /// Has all errors with full paths.
  SourceState state() const override;
  const std::vector<FileState>& files() const { return listing_.files; }
  /// Whether endpoints() is complete: the directory and every *.yaml file in it could be read.
  bool listed() const { return listing_.listed; }
  /// The paths of files that are not read because of their names, except hidden ones: their author may expect that they
  /// are read.
  const std::set<std::string>& others() const { return others_; }
  /// Why the directory cannot be read; empty = it can.
  const std::string& error() const { return listing_.error; }

 private:
  struct Stamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;

    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  struct File {
    Stamp stamp;
    std::vector<Discovered> endpoints;
    std::string error;
  };
  struct Listing {
    std::vector<Discovered> endpoints;
    std::vector<FileState> files;
    bool listed = false;
    std::string error = "not read yet";

    friend bool operator==(const Listing&, const Listing&) = default;
  };

  static Stamp stamp_of(const std::string& path);
  /// Returns the paths of the *.yaml files, sorted. Logs each other file once.
  Result<std::vector<std::string>> names();
  bool read_files(const std::vector<std::string>& names);
  void read_file(const std::string& path, File& file) const;
  Listing listing(std::string error) const;

  std::string directory_;
  Defaults defaults_;
  std::map<std::string, File> files_;  // by path
  std::set<std::string> others_;       // files that are not read, and that were logged
  Listing listing_;
};

}  // namespace meshdns::discovery
