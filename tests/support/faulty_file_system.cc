#include "tests/support/faulty_file_system.h"

#include <algorithm>
#include <new>

namespace odradek::fs {
namespace {

Error error_at(Errc code, std::string_view what, const std::string& path) {
  return Error(code, std::string("cannot ") + std::string(what) + " " + path + ": " +
                         std::string(name_of(code)) + " (injected or as a disk would)");
}

std::string cleaned(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

class FaultyFileSystem::OpenFile final : public File {
 public:
  OpenFile(FaultyFileSystem& owner, std::string path, NodePtr node)
      : File(std::move(path)),
        owner_(owner),
        node_(std::move(node)),
        generation_(owner.generation_) {}

  Result<size_t> pread(char* buffer, size_t size, uint64_t position) override {
    std::lock_guard lock(owner_.mutex_);
    if (auto error = check(Call::read)) return *error;
    if (position >= node_->now.size()) return size_t{0};
    return node_->now.copy(buffer, size, position);
  }

  Result<void> pwrite(ByteView bytes, uint64_t position) override {
    std::lock_guard lock(owner_.mutex_);
    ++owner_.writes_;
    if (owner_.cut_) return error_at(Errc::io_error, "write without power", path());
    std::optional<Error> error = check(Call::write);
    size_t fits = bytes.size();
    if (error && error->code() == Errc::io_error && generation_ != owner_.generation_)
      return *error;
    if (error && !bytes.empty()) fits = owner_.random_() % bytes.size();
    if (!error && owner_.capacity_ > 0) {
      uint64_t end = position + bytes.size();
      uint64_t more = end > node_->now.size() ? end - node_->now.size() : 0;
      uint64_t used = owner_.used();
      uint64_t room = used < owner_.capacity_ ? owner_.capacity_ - used : 0;
      if (more > room) {
        error = error_at(Errc::disk_full, "write", path());
        fits = bytes.size() - static_cast<size_t>(std::min<uint64_t>(more - room, bytes.size()));
      }
    }
    if (fits > 0) {
      Write write{false, position, Bytes(bytes.substr(0, fits))};
      apply(node_->now, write);
      node_->unsynced.push_back(std::move(write));
    }
    if (error) return *error;
    return {};
  }

  Result<void> sync() override {
    std::lock_guard lock(owner_.mutex_);
    ++owner_.syncs_;
    if (auto error = check(Call::sync)) {
      if (owner_.cut_) return *error;
      node_->unsynced
          .clear();  // as Linux: what could not be written is dropped, and the next call succeeds
      return *error;
    }
    node_->durable = node_->now;
    node_->unsynced.clear();
    return {};
  }

  Result<void> truncate(uint64_t size) override {
    std::lock_guard lock(owner_.mutex_);
    if (auto error = check(Call::truncate)) return *error;
    if (node_->now.size() == size) return {};
    Write write{true, size, {}};
    apply(node_->now, write);
    node_->unsynced.push_back(std::move(write));
    return {};
  }

  Result<uint64_t> size() override {
    std::lock_guard lock(owner_.mutex_);
    if (generation_ != owner_.generation_) return error_at(Errc::io_error, "look at", path());
    return static_cast<uint64_t>(node_->now.size());
  }

  int fd() const override { return -1; }

 private:
  std::optional<Error> check(Call call) {
    if (generation_ != owner_.generation_)
      return error_at(Errc::io_error, "use after the crash", path());
    return call == Call::read ? owner_.fault(call, path()) : owner_.change(call, path());
  }

  FaultyFileSystem& owner_;
  NodePtr node_;
  const uint64_t generation_;
};

class FaultyFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(FaultyFileSystem& owner, std::string path)
      : owner_(owner), path_(std::move(path)), generation_(owner.generation_) {}
  ~HeldLock() override {
    std::lock_guard lock(owner_.mutex_);
    if (generation_ == owner_.generation_) owner_.locks_.erase(path_);
  }

 private:
  FaultyFileSystem& owner_;
  const std::string path_;
  const uint64_t generation_;
};

void FaultyFileSystem::apply(Bytes& bytes, const Write& write) {
  if (write.is_truncate) {
    bytes.resize(write.position, '\0');
    return;
  }
  if (bytes.size() < write.position + write.bytes.size())
    bytes.resize(write.position + write.bytes.size(), '\0');
  std::copy(write.bytes.begin(), write.bytes.end(),
            bytes.begin() + static_cast<ptrdiff_t>(write.position));
}

void FaultyFileSystem::apply(const NameChange& change) {
  const std::string prefix = change.path + "/";
  switch (change.kind) {
    case NameChange::Kind::file:
      durable_files_[change.path] = change.node;
      break;
    case NameChange::Kind::directory:
      durable_dirs_.insert(change.path);
      break;
    case NameChange::Kind::remove:
      std::erase_if(durable_files_, [&](const auto& item) {
        return item.first == change.path || item.first.starts_with(prefix);
      });
      std::erase_if(durable_dirs_, [&](const std::string& dir) {
        return dir == change.path || dir.starts_with(prefix);
      });
      break;
    case NameChange::Kind::rename:
      if (change.node) {
        durable_files_.erase(change.path);
        durable_files_[change.to] = change.node;
        break;
      }
      if (durable_dirs_.erase(change.path) == 0) break;
      durable_dirs_.insert(change.to);
      std::map<std::string, NodePtr> moved;
      std::erase_if(durable_files_, [&](const auto& item) {
        if (!item.first.starts_with(prefix)) return false;
        moved[change.to + "/" + item.first.substr(prefix.size())] = item.second;
        return true;
      });
      durable_files_.merge(moved);
      break;
  }
}

Bytes FaultyFileSystem::prefix_of(const Node& node) {
  Bytes left = node.durable;
  if (node.unsynced.empty()) return left;
  size_t keep = random_() % (node.unsynced.size() + 1);
  for (size_t i = 0; i < keep; ++i) apply(left, node.unsynced[i]);
  if (keep < node.unsynced.size() && !node.unsynced[keep].is_truncate) {
    Write torn = node.unsynced[keep];
    torn.bytes.resize(random_() % (torn.bytes.size() + 1));
    if (!torn.bytes.empty()) apply(left, torn);
  }
  return left;
}

Bytes FaultyFileSystem::mixture_of(const Node& node) {
  Bytes left = node.durable;
  if (node.unsynced.empty()) return left;
  const uint64_t whole_percent = random_() % 101;  // a disk that was quick, or slow
  size_t longest = left.size();
  for (const Write& write : node.unsynced) {
    const bool whole = random_() % 100 < whole_percent;
    if (write.is_truncate) {
      if (!whole) break;
      apply(left, write);
      longest = left.size();
      continue;
    }
    longest = std::max<size_t>(longest, write.position + write.bytes.size());
    Write kept = write;
    if (!whole) kept.bytes.resize(random_() % 2 == 0 ? 0 : random_() % (write.bytes.size() + 1));
    if (!kept.bytes.empty()) apply(left, kept);
  }
  // a file whose length came to the disk before its content
  if (random_() % 4 == 0 && left.size() < longest) left.resize(longest, '\0');
  return left;
}

void FaultyFileSystem::crash(CrashMode mode) {
  std::lock_guard lock(mutex_);
  ++generation_;
  locks_.clear();
  faults_.clear();
  cut_ = false;
  cut_at_ = 0;
  if (mode == CrashMode::keep_all) return;
  if (mode == CrashMode::mixture) {
    name_changes_.resize(random_() % (name_changes_.size() + 1));
    for (const NameChange& change : name_changes_) apply(change);
  }
  name_changes_.clear();
  files_ = durable_files_;
  dirs_ = durable_dirs_;
  // what lies in a directory that never became durable is gone with it
  std::erase_if(files_, [&](const auto& item) { return !has_dir(parent_of(item.first)); });
  std::set<Node*> done;  // a file may have two names in the durable picture
  for (auto& [path, node] : files_) {
    if (!done.insert(node.get()).second) continue;
    Bytes left = mode == CrashMode::keep_prefix ? prefix_of(*node)
                 : mode == CrashMode::mixture   ? mixture_of(*node)
                                                : node->durable;
    // a fresh node each: handles of the time before see nothing of the new life
    auto fresh = std::make_shared<Node>();
    fresh->now = fresh->durable = std::move(left);
    NodePtr old = node;
    for (auto& [other, same] : files_) {
      if (same == old) same = fresh;
    }
    done.insert(fresh.get());
  }
  durable_files_ = files_;
  durable_dirs_ = dirs_;
}

void FaultyFileSystem::fail(Call call, const std::string& path_part, Errc code, int count) {
  std::lock_guard lock(mutex_);
  faults_.push_back({call, path_part, code, count});
}

void FaultyFileSystem::run_short_of_memory(Call call, const std::string& path_part, int count) {
  std::lock_guard lock(mutex_);
  faults_.push_back({call, path_part, std::nullopt, count});
}

void FaultyFileSystem::clear_faults() {
  std::lock_guard lock(mutex_);
  faults_.clear();
}

void FaultyFileSystem::set_capacity(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

uint64_t FaultyFileSystem::used() const {
  uint64_t sum = 0;
  for (const auto& [path, node] : files_) sum += node->now.size();
  return sum;
}

uint64_t FaultyFileSystem::used_bytes() const {
  std::lock_guard lock(mutex_);
  return used();
}

uint64_t FaultyFileSystem::writes() const {
  std::lock_guard lock(mutex_);
  return writes_;
}

uint64_t FaultyFileSystem::syncs() const {
  std::lock_guard lock(mutex_);
  return syncs_;
}

void FaultyFileSystem::cut_power_after(uint64_t changes) {
  std::lock_guard lock(mutex_);
  cut_at_ = changes > 0 ? changes_ + changes : 0;
}

bool FaultyFileSystem::power_is_cut() const {
  std::lock_guard lock(mutex_);
  return cut_;
}

uint64_t FaultyFileSystem::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

void FaultyFileSystem::count_change() {
  if (!cut_ && ++changes_ == cut_at_) cut_ = true;
}

// As fault, for a call that changes something.
std::optional<Error> FaultyFileSystem::change(Call call, const std::string& path) {
  count_change();
  return fault(call, path);
}

std::optional<Error> FaultyFileSystem::fault(Call call, const std::string& path) {
  if (cut_) return error_at(Errc::io_error, "use without power", path);
  for (auto it = faults_.begin(); it != faults_.end(); ++it) {
    if (it->call != call || path.find(it->path_part) == std::string::npos) continue;
    std::optional<Errc> code = it->code;
    if (--it->count == 0) faults_.erase(it);
    if (!code) throw std::bad_alloc();
    return error_at(*code, "use", path);
  }
  return std::nullopt;
}

bool FaultyFileSystem::has_dir(const std::string& path) const {
  return path == "/" || path == "." || dirs_.contains(path);
}

Result<std::shared_ptr<File>> FaultyFileSystem::open(const std::string& path, OpenMode mode) {
  std::lock_guard lock(mutex_);
  if (auto error = fault(Call::open, path)) return *error;
  auto found = files_.find(path);
  if (found != files_.end()) {
    if (mode == OpenMode::create_new) return error_at(Errc::already_exists, "make", path);
    return std::shared_ptr<File>(std::make_shared<OpenFile>(*this, path, found->second));
  }
  if (mode == OpenMode::read || mode == OpenMode::read_write)
    return error_at(Errc::not_found, "open", path);
  if (!has_dir(parent_of(path))) return error_at(Errc::not_found, "make", path);
  count_change();
  if (cut_) return error_at(Errc::io_error, "make without power", path);
  NodePtr node = std::make_shared<Node>();
  files_[path] = node;
  name_changes_.push_back({NameChange::Kind::file, path, {}, node});
  return std::shared_ptr<File>(std::make_shared<OpenFile>(*this, path, std::move(node)));
}

Result<DirEntry> FaultyFileSystem::stat(const std::string& raw) {
  const std::string path = cleaned(raw);
  std::lock_guard lock(mutex_);
  std::string name = path.substr(path.find_last_of('/') + 1);
  if (has_dir(path)) return DirEntry{name, true, 0, 0};
  auto found = files_.find(path);
  if (found == files_.end()) return error_at(Errc::not_found, "look at", path);
  return DirEntry{name, false, found->second->now.size(), 0};
}

Result<void> FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  if (auto error = change(Call::rename, from)) return *error;
  if (auto found = files_.find(from); found != files_.end()) {
    NodePtr node = found->second;
    files_.erase(found);
    name_changes_.push_back({NameChange::Kind::rename, from, to, node});
    files_[to] = std::move(node);
    return {};
  }
  if (!dirs_.contains(from)) return error_at(Errc::not_found, "rename", from);
  name_changes_.push_back({NameChange::Kind::rename, from, to, nullptr});
  dirs_.erase(from);
  dirs_.insert(to);
  const std::string prefix = from + "/";
  std::map<std::string, NodePtr> moved;
  std::erase_if(files_, [&](auto& item) {
    if (!item.first.starts_with(prefix)) return false;
    moved[to + "/" + item.first.substr(prefix.size())] = item.second;
    return true;
  });
  files_.merge(moved);
  return {};
}

Result<void> FaultyFileSystem::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (auto error = change(Call::remove, path)) return *error;
  if (files_.erase(path) == 0 && dirs_.erase(path) == 0)
    return error_at(Errc::not_found, "remove", path);
  name_changes_.push_back({NameChange::Kind::remove, path, {}, nullptr});
  return {};
}

Result<void> FaultyFileSystem::remove_all(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (auto error = change(Call::remove, path)) return *error;
  const std::string prefix = path + "/";
  name_changes_.push_back({NameChange::Kind::remove, path, {}, nullptr});
  std::erase_if(files_, [&](const auto& item) {
    return item.first == path || item.first.starts_with(prefix);
  });
  std::erase_if(dirs_,
                [&](const std::string& dir) { return dir == path || dir.starts_with(prefix); });
  return {};
}

Result<void> FaultyFileSystem::make_dirs(const std::string& raw) {
  const std::string path = cleaned(raw);
  std::lock_guard lock(mutex_);
  if (files_.contains(path)) return error_at(Errc::io_error, "make directory", path);
  auto make = [&](const std::string& one) {
    if (!dirs_.insert(one).second) return;
    name_changes_.push_back({NameChange::Kind::directory, one, {}, nullptr});
  };
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    make(path.substr(0, slash));
  }
  make(path);
  return {};
}

Result<std::vector<DirEntry>> FaultyFileSystem::list(const std::string& raw) {
  const std::string directory = cleaned(raw);
  std::lock_guard lock(mutex_);
  if (!has_dir(directory)) return error_at(Errc::not_found, "list", directory);
  std::vector<DirEntry> entries;
  for (const auto& [path, node] : files_) {
    if (parent_of(path) == directory) {
      entries.push_back({path.substr(directory.size() + 1), false, node->now.size(), 0});
    }
  }
  for (const std::string& path : dirs_) {
    if (parent_of(path) == directory)
      entries.push_back({path.substr(directory.size() + 1), true, 0, 0});
  }
  std::sort(entries.begin(), entries.end(),
            [](const DirEntry& left, const DirEntry& right) { return left.name < right.name; });
  return entries;
}

Result<void> FaultyFileSystem::sync_dir(const std::string& raw) {
  const std::string directory = cleaned(raw);
  std::lock_guard lock(mutex_);
  if (auto error = change(Call::sync_dir, directory)) return *error;
  if (!has_dir(directory)) return error_at(Errc::not_found, "sync", directory);
  // the names in this directory become durable; a directory's own name is its parent's
  std::erase_if(name_changes_,
                [&](const NameChange& one) { return parent_of(one.path) == directory; });
  std::erase_if(durable_files_,
                [&](const auto& item) { return parent_of(item.first) == directory; });
  for (const auto& [path, node] : files_) {
    if (parent_of(path) == directory) durable_files_[path] = node;
  }
  std::vector<std::string> gone;
  for (const std::string& path : durable_dirs_) {
    if (parent_of(path) == directory && !dirs_.contains(path)) gone.push_back(path);
  }
  for (const std::string& path : gone) {
    const std::string prefix = path + "/";
    // a renamed directory takes its durable files along
    std::string renamed;
    for (const std::string& other : dirs_) {
      if (parent_of(other) != directory || durable_dirs_.contains(other)) continue;
      bool same = std::any_of(durable_files_.begin(), durable_files_.end(), [&](const auto& item) {
        if (!item.first.starts_with(prefix)) return false;
        auto now = files_.find(other + "/" + item.first.substr(prefix.size()));
        return now != files_.end() && now->second == item.second;
      });
      if (same) renamed = other;
    }
    std::map<std::string, NodePtr> moved;
    std::erase_if(durable_files_, [&](auto& item) {
      if (!item.first.starts_with(prefix)) return false;
      if (!renamed.empty()) moved[renamed + "/" + item.first.substr(prefix.size())] = item.second;
      return true;
    });
    durable_files_.merge(moved);
    std::erase_if(durable_dirs_,
                  [&](const std::string& dir) { return dir == path || dir.starts_with(prefix); });
  }
  for (const std::string& path : dirs_) {
    if (parent_of(path) == directory) durable_dirs_.insert(path);
  }
  // the way down to a synced directory counts as durable: tests make it before anything of interest
  // happens
  for (std::string path = directory; path != "/" && path != "."; path = parent_of(path)) {
    if (parent_of(path) == "/" || parent_of(path) == ".") durable_dirs_.insert(path);
  }
  return {};
}

Result<void> FaultyFileSystem::sync_all(const std::string& directory) {
  std::lock_guard lock(mutex_);
  ++syncs_;
  if (auto error = change(Call::sync, directory)) return *error;
  for (auto& [path, node] : files_) {
    node->durable = node->now;
    node->unsynced.clear();
  }
  durable_files_ = files_;
  durable_dirs_ = dirs_;
  name_changes_.clear();
  return {};
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::lock(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!has_dir(parent_of(path))) return error_at(Errc::not_found, "make", path);
  if (!locks_.insert(path).second) return Error(Errc::locked, path + " is held by another process");
  if (!files_.contains(path)) {
    files_[path] = std::make_shared<Node>();
    name_changes_.push_back({NameChange::Kind::file, path, {}, files_[path]});
  }
  return std::unique_ptr<FileLock>(std::make_unique<HeldLock>(*this, path));
}

Result<Space> FaultyFileSystem::space(const std::string&) {
  std::lock_guard lock(mutex_);
  uint64_t total = capacity_ > 0 ? capacity_ : uint64_t{1} << 40;
  uint64_t used_now = used();
  return Space{total, total > used_now ? total - used_now : 0};
}

bool FaultyFileSystem::is_writable(const std::string& directory) {
  std::lock_guard lock(mutex_);
  return has_dir(cleaned(directory));
}

}  // namespace odradek::fs
