package docs

import "context"

var _ = plays("docs/monitoring.md", "With the Prometheus Operator", func(ctx context.Context, s *stage, _ *player) {
	serviceMonitors.install(ctx, s.plane.Config)
	prometheusRules.install(ctx, s.plane.Config)
})
