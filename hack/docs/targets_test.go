package docs

import "context"

var _ = plays("docs/targets.md", "Targets: where access takes effect", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	c.people(ctx)
	c.applyShown(ctx, p, "docs/targets.md", "kubernetesRBAC")
})
