#include "coordinator/controller/controller.h"

#include <algorithm>

#include "common/log/log.h"

namespace odradek::coordinator::controller {

void Controller::load(const World& world) {
  clusters_.clear();
  std::string folder = metadata::ClusterPaths::own_clusters();
  for (const std::string& name : world.tree.children(folder).value_or(std::vector<std::string>())) {
    auto node = world.tree.get(folder + "/" + name);
    auto record = node ? metadata::decode_own(node->bytes()) : std::nullopt;
    if (!record || metadata::ClusterPaths::name_of_chroot(record->chroot) != name) {
      LOG_ERROR("controller",
                "{}/{} is not a record of this coordinator; the cluster is not looked at", folder,
                name);
      continue;
    }
    make(record->chroot);
  }
}

Cluster& Controller::make(const std::string& chroot) {
  auto& cluster = clusters_[chroot];
  if (!cluster) cluster = std::make_unique<Cluster>(chroot, settings_);
  return *cluster;
}

void Controller::observe(const tree::Commit& commit, int64_t now_ms) {
  if (commit.changes.empty()) return;
  for (auto& [chroot, cluster] : clusters_) cluster->observe(commit, now_ms);
}

std::vector<Proposal> Controller::step(const World& world) {
  std::vector<Proposal> proposals;
  for (auto it = clusters_.begin(); it != clusters_.end();) {
    Cluster& cluster = *it->second;
    if (cluster.wants_step_at(world.now_ms)) cluster.step(world, on_image_, proposals);
    if (cluster.unused())
      it = clusters_.erase(it);
    else
      ++it;
  }
  return proposals;
}

std::optional<int64_t> Controller::next_wake_ms() const {
  std::optional<int64_t> wake_ms;
  for (const auto& [chroot, cluster] : clusters_) {
    auto ms = cluster->next_wake_ms();
    if (ms) wake_ms = std::min(wake_ms.value_or(*ms), *ms);
  }
  return wake_ms;
}

bool Controller::wants_step(int64_t now_ms) const {
  return std::any_of(clusters_.begin(), clusters_.end(),
                     [&](const auto& entry) { return entry.second->wants_step_at(now_ms); });
}

bool Controller::quiet() const {
  return std::all_of(clusters_.begin(), clusters_.end(),
                     [](const auto& entry) { return entry.second->quiet(); });
}

const Cluster* Controller::find(std::string_view chroot) const {
  auto found = clusters_.find(chroot);
  return found == clusters_.end() ? nullptr : found->second.get();
}

Cluster* Controller::cluster_for_call(std::string_view chroot) {
  auto found = clusters_.find(chroot);
  return found == clusters_.end() ? nullptr : found->second.get();
}

Result<void> Controller::register_broker(const std::string& chroot, RegistrationRequest request,
                                         int64_t deadline_ms, RegistrationDone done) {
  if (auto ok = check_chroot(chroot); !ok) return ok.error();
  make(chroot).add(make_registration(std::move(request), deadline_ms, std::move(done)));
  return {};
}

bool Controller::refuses_create(std::string_view path) const {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return false;
  bool controller = path.substr(slash) == "/controller";
  std::string_view parent = path.substr(0, slash);
  if (!controller && !parent.ends_with("/brokers/ids")) return false;
  return std::any_of(clusters_.begin(), clusters_.end(), [&](const auto& entry) {
    const auto& [chroot, cluster] = entry;
    if (!cluster->managed()) return false;
    return controller ? parent == chroot : parent == cluster->facts().paths().broker_ids();
  });
}

}  // namespace odradek::coordinator::controller
