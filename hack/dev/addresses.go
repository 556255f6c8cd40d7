package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// addresses are where the operator listens.
type addresses struct {
	scim, metrics, health string
}

// findAddresses checks that the SCIM server's address can be had and picks free ports for the others.
func findAddresses(ctx context.Context, scim string) (addresses, error) {
	ctx, cancel := context.WithTimeout(ctx, takeOver)
	defer cancel()
	found, err := available(ctx, scim)
	if err != nil {
		return addresses{}, fmt.Errorf("the SCIM server cannot listen on %s: %w\nchoose another address, for example: make run ADDR=127.0.0.1:9090", scim, err)
	}
	a := addresses{scim: found}
	for _, address := range []*string{&a.metrics, &a.health} {
		if *address, err = available(ctx, "127.0.0.1:0"); err != nil {
			return addresses{}, err
		}
	}
	return a, nil
}

// available returns the address with its port filled in, waiting a moment if it is in use.
func available(ctx context.Context, address string) (string, error) {
	for {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", errors.New("another program listens there")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// externalURL is how a client on this machine reaches the SCIM server.
func (a addresses) externalURL() string {
	host, port, _ := net.SplitHostPort(a.scim) // as a listener wrote it
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func (a addresses) metricsURL() string { return "http://" + a.metrics + "/metrics" }

func (a addresses) readyURL() string { return "http://" + a.health + "/readyz" }
